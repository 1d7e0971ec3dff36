package googleworkspace

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// lengths are those of the passwords that are offered one after the other to a policy that rejects them. Google takes 8 to
// 100 characters, and an administrator may ask for more than 8 and never tell.
var lengths = []int{32, 64, 100}

// change is the body of a reset. The update method leaves alone what is not named.
type change struct {
	Password   string                       `json:"password,omitempty"`
	MustChange bool                         `json:"changePasswordAtNextLogin"`
	Custom     map[string]map[string]string `json:"customSchemas,omitempty"`
}

// Reset demands a new password, and with randomize sets a random one in the same call, so that there is no moment with one
// and not the other.
func (w *workspace) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported, "Google lets nobody but the user begin a recovery; use randomize or expire")
	}
	u, f := w.read(ctx, id.ID)
	if f == nil {
		f = w.refuse(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	sealed, told, f := w.force(ctx, u, mode)
	if f != nil {
		return schemas.Receipt{}, f
	}
	w.memory.acknowledged(u.ID, mode == schemas.ModeRandomize)
	done, dropped := "the user must change the password at the next sign-in", "nothing was changed"
	if mode == schemas.ModeRandomize {
		dropped = "a random password was set, and no earlier one works at Google any more"
		done = dropped + "; " + done
	}
	if told != nil && !*told {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "%s, but Google did not take the demand to change the password (changePasswordAtNextLogin stays false): "+
			"so it does where another identity provider signs people in; see third_party_idp in the settings of the system %s", dropped, w.env.System)
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done, Sealed: sealed}, nil
}

// refuse stops what would do harm, or no good, before anything is changed.
func (w *workspace) refuse(ctx context.Context, u user) *schemas.Failure {
	if w.ourselves(u) {
		return schemas.Fail(schemas.CodeProtected, "%s is the account that resetd acts as; nothing was changed", u.Primary)
	}
	origin, why, f := w.origin(ctx, u)
	if f == nil && origin != schemas.OriginNative {
		f = schemas.Fail(schemas.CodeNotApplicable, "%s (%s): %s; Google does not enforce a reset there, and nothing was changed", u.Primary, w.env.System, why)
	}
	return f
}

// force makes the change. It gives the password as it may be delivered, and what Google says of the demand afterwards.
func (w *workspace) force(ctx context.Context, u user, mode schemas.Mode) (sealed string, told *bool, f *schemas.Failure) {
	for try := 0; ; try++ {
		body := change{MustChange: true}
		if mode == schemas.ModeRandomize {
			made := connectors.NewPassword(lengths[try], lengths[len(lengths)-1])
			if sealed, f = w.env.Sealed(made); f != nil {
				return "", nil, f
			}
			body.Password, body.Custom = made.Reveal(), w.mark()
		}
		var got struct {
			ID         string `json:"id"`
			MustChange *bool  `json:"changePasswordAtNextLogin"`
		}
		a, f := w.api.Do(ctx, rest.Call{Method: http.MethodPut, Path: userPath(u.ID), Query: url.Values{"fields": {"id,changePasswordAtNextLogin"}},
			Body: body, Into: &got, Doing: "resetting the password"})
		switch {
		case f == nil && got.ID != u.ID:
			return "", nil, schemas.Fail(schemas.CodeTimedOut, "resetting the password at %s (%s): the answer is none of Google's, so whether it was done is not known; "+
				"see what stands between", product, w.env.System)
		case f == nil:
			return sealed, got.MustChange, nil
		case a == nil || mode != schemas.ModeRandomize || !rejectsPassword(a):
			return "", nil, w.denied(a, f, u)
		case try == len(lengths)-1:
			return "", nil, schemas.Fail(schemas.CodePasswordRejected, "Google (%s) rejected %d random passwords of up to %d characters for %s; nothing was changed; "+
				"see the password policy in the admin console (Security > Authentication > Password management)", w.env.System, len(lengths), lengths[try], u.Primary)
		}
	}
}

// mark is what a reset leaves in the proof attribute: 26 random characters that mean nothing.
func (w *workspace) mark() map[string]map[string]string {
	schema, field, ok := strings.Cut(w.config.ProofAttribute, ".")
	if !ok {
		return nil
	}
	return map[string]map[string]string{schema: {field: rand.Text()}}
}

// denied tells a protected target from a missing right. Google gives the same answer for both, so it is the target that
// decides: only a super administrator may change an administrator's password.
func (w *workspace) denied(a *rest.Answer, f *schemas.Failure, u user) *schemas.Failure {
	if a == nil || a.Status != http.StatusForbidden || f.Code != schemas.CodePermissionMissing || !refusalOf(a).has([]string{"forbidden"}) {
		return f
	}
	if u.SuperAdmin || u.Admin {
		return schemas.Fail(schemas.CodeProtected, "%s (%s) is an administrator, whose password and sessions nobody but a super administrator may touch, and %s is none; "+
			"let a super administrator do it by hand", u.Primary, w.env.System, w.who())
	}
	f.Detail += "; " + w.grant() + "; if the role is bound to an organisational unit, see whether " + u.Primary + " is in it"
	if w.config.ProofAttribute != "" {
		f.Detail += "; proof_attribute takes the right to update custom attributes too"
	}
	return f
}

// grant says what the role must hold.
func (w *workspace) grant() string {
	return "in the admin console under Account > Admin roles, give the role of " + w.who() +
		" the privileges Users > Read, Users > Update > Reset password, Users > Update > Force password change, and Security > User security management"
}
