package cognito

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/schemas"
)

// What a reading proves, told by the two readings.
func TestVerdictClaimsNoMoreThanIsProved(t *testing.T) {
	const forced, confirmed, recovering = types.UserStatusTypeForceChangePassword, types.UserStatusTypeConfirmed, types.UserStatusTypeResetRequired
	at := func(status types.UserStatusType, second int, mail string) user {
		return user{status: status, enabled: true, modified: time.Unix(int64(second), 0), attributes: map[string]string{"email": mail}}
	}
	for name, one := range map[string]struct {
		since, now user
		state      schemas.ProofState
		changed    bool
	}{
		"nothing happened":                     {at(confirmed, 1, "a"), at(confirmed, 1, "a"), schemas.ProofNotEnforced, false},
		"a temporary password":                 {at(confirmed, 1, "a"), at(forced, 2, "a"), schemas.ProofEnforced, true},
		"a temporary password, and an address": {at(confirmed, 1, "a"), at(forced, 2, "b"), schemas.ProofEnforced, true},
		"another temporary password":           {at(forced, 1, "a"), at(forced, 2, "a"), schemas.ProofEnforced, true},
		"an address of somebody forced":        {at(forced, 1, "a"), at(forced, 2, "b"), schemas.ProofUnknown, false},
		"forced before, and nothing happened":  {at(forced, 1, "a"), at(forced, 1, "a"), schemas.ProofNotEnforced, false},
		"forced, and the user was quick":       {at(forced, 1, "a"), at(confirmed, 2, "a"), schemas.ProofNotEnforced, true},
		"a recovery":                           {at(confirmed, 1, "a"), at(recovering, 2, "a"), schemas.ProofEnforced, false},
		"a recovery that was asked for before": {at(recovering, 1, "a"), at(recovering, 1, "a"), schemas.ProofEnforced, false},
		"recovered":                            {at(recovering, 1, "a"), at(confirmed, 2, "a"), schemas.ProofNotEnforced, true},
		"an address of somebody confirmed":     {at(confirmed, 1, "a"), at(confirmed, 2, "b"), schemas.ProofNotEnforced, false},
		"forced after a recovery":              {at(recovering, 1, "a"), at(forced, 2, "a"), schemas.ProofEnforced, true},
	} {
		got := judge(one.now, one.since.evidence())
		if got.State != one.state || got.Changed != one.changed || got.Detail == "" {
			t.Errorf("%s: %s, changed %t (%s); want %s, %t", name, got.State, got.Changed, got.Detail, one.state, one.changed)
		}
	}
	if got := judge(at(forced, 1, "a"), schemas.Evidence{}); got.State != schemas.ProofUnknown || got.Changed {
		t.Errorf("without evidence: %+v", got)
	}
}
