package googleworkspace

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// What an assignment may say of the sign-in (Cloud Identity API, InboundSsoAssignment.ssoMode).
const (
	ssoOff   = "SSO_OFF"
	ssoSAML  = "SAML_SSO"
	ssoOIDC  = "OIDC_SSO"
	redirect = "NEVER" // of redirectCondition: Google asks for its own password all the same
)

// assignment gives an organisational unit or a group to an identity provider, or takes it away.
type assignment struct {
	Group    string `json:"targetGroup"`   // groups/ID
	Unit     string `json:"targetOrgUnit"` // orgUnits/ID
	Mode     string `json:"ssoMode"`
	Behavior struct {
		Redirect string `json:"redirectCondition"`
	} `json:"signInBehavior"`
}

// signIn is what an assignment means for a password at Google.
type signIn int

const (
	byGoogle signIn = iota
	byOther
	byUnknown // by the organisation-wide profile of old, which no API shows
)

func (a assignment) means() signIn {
	switch {
	case a.Mode == ssoOff, (a.Mode == ssoSAML || a.Mode == ssoOIDC) && a.Behavior.Redirect == redirect:
		return byGoogle
	case a.Mode == ssoSAML, a.Mode == ssoOIDC:
		return byOther
	}
	return byUnknown
}

// idps knows who signs people in.
type idps struct {
	*workspace
	api *rest.Client // the Cloud Identity API

	mu    sync.Mutex
	until time.Time
	all   []assignment
	units map[string]string // path to id, if an assignment is for a unit
}

// signIn tells whether another identity provider signs a user in, and how that is known.
func (i *idps) signIn(ctx context.Context, u user) (elsewhere bool, why string, f *schemas.Failure) {
	switch i.config.ThirdPartyIDP {
	case idpNever:
		return false, "Google signs in (third_party_idp: never)", nil
	case idpAlways:
		return true, "another identity provider signs in (third_party_idp: always)", nil
	}
	all, units, f := i.known(ctx)
	if f != nil {
		return false, "", f
	}
	means, by, f := i.holding(ctx, u, all, units)
	switch {
	case f != nil:
		return false, "", f
	case means == byUnknown:
		return false, "", i.hidden(u.Primary)
	case means == byOther && u.SuperAdmin:
		return false, "a super administrator signs in with Google whatever the single sign-on profile", nil
	case means == byOther:
		return true, "another identity provider signs in (" + by + ")", nil
	}
	return false, "Google signs in (" + by + ")", nil
}

// holding finds the assignment that holds for a user: that of a group before that of the nearest organisational unit. Which
// of several groups goes first is a matter of their order in the console; where they disagree nobody is guessed at.
func (i *idps) holding(ctx context.Context, u user, all []assignment, units map[string]string) (means signIn, by string, f *schemas.Failure) {
	found := false
	for _, a := range all {
		if a.Group == "" {
			continue
		}
		in, f := i.member(ctx, strings.TrimPrefix(a.Group, "groups/"), u)
		switch {
		case f != nil:
			return 0, "", f
		case !in:
		case found && a.means() != means:
			return 0, "", schemas.Fail(schemas.CodeConflict, "%s (%s) is in several groups, some of which sign in at Google and some elsewhere, and which of them goes first cannot be told; "+
				"nothing was changed; see the SSO profile assignments in the admin console", u.Primary, i.env.System)
		default:
			found, means, by = true, a.means(), "by the SSO profile of "+a.Group
		}
	}
	if found {
		return means, by, nil
	}
	if units != nil && units[u.Unit] == "" {
		i.forget()
		return 0, "", schemas.Fail(schemas.CodeUnavailable, "the organisational unit %s of %s (%s) is not in the list that was read a moment ago; nothing was changed; it is read again",
			u.Unit, u.Primary, i.env.System)
	}
	for path := u.Unit; path != ""; path = parent(path) {
		for _, a := range all {
			if a.Unit != "" && strings.TrimPrefix(a.Unit, "orgUnits/") == units[path] {
				return a.means(), "by the SSO profile of the organisational unit " + path, nil
			}
		}
	}
	return byGoogle, "no SSO profile is assigned", nil
}

// parent gives the path of the unit above, and nothing above the uppermost.
func parent(path string) string {
	cut := strings.LastIndexByte(path, '/')
	switch {
	case path == "/" || cut < 0:
		return ""
	case cut == 0:
		return "/"
	}
	return path[:cut]
}

// hidden says that nobody can know.
func (i *idps) hidden(who string) *schemas.Failure {
	return schemas.Fail(schemas.CodePermissionMissing, "who signs in %s (%s) cannot be told: the organisation-wide SAML profile of old is assigned, which no API shows; "+
		"write third_party_idp: always or never, or move to SSO profiles in the admin console (Security > Authentication > SSO with third party IdP)", who, i.env.System)
}
