package keycloak

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// samples is how many accounts are looked at to learn what we may do with them.
const samples = 5

// excess are roles that a reset does not need. view-clients is none of them, see README.
var excess = []string{
	"realm-admin", "manage-realm", "manage-clients", "manage-authorization", "manage-identity-providers", "manage-events",
	"manage-organizations", "create-client", "impersonation",
}

// Probe finds out what resetd's client may do. It reads only.
func (r *realm) Probe(ctx context.Context) (schemas.Capabilities, error) {
	got := schemas.Capabilities{Product: "Keycloak", Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Revoke: true}
	if f := r.probe(ctx, &got); f != nil {
		return schemas.Capabilities{}, f
	}
	got.TLS, _ = r.api.Seen()
	got.Clock = r.clock()
	return got, nil
}

func (r *realm) probe(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	demands, f := r.demandsChange(ctx)
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing: // every role of administration may read that
		got.Missing = append(got.Missing, "resetd's client has no role in the realm "+r.config.Realm+"; "+r.grant("view-users"),
			"resetd's client may not change accounts; "+r.grant("manage-users"))
		return nil
	case f != nil:
		return f
	case !demands:
		got.Unenforced = append(got.Unenforced, r.turnedOff())
	}
	if f := r.probeAccounts(ctx, got); f != nil {
		return f
	}
	own := r.rights()
	for _, role := range excess {
		if slices.Contains(own.roles, role) {
			got.Warn = append(got.Warn, "resetd's client has the role "+role+", which a reset does not need; take it away")
		}
	}
	if own.all {
		got.Warn = append(got.Warn, "resetd's client has the role admin of the realm master, and with it every realm; make a client in the realm "+r.config.Realm+" with view-users and manage-users alone")
	}
	if !r.seesRoles() {
		got.Warn = append(got.Warn, "resetd can tell administrators only by the roles of their groups; name the others among the protected accounts, or "+r.grant("view-clients")+
			" (it lets resetd read the secrets of all clients of the realm too)")
	}
	return r.probePolicy(ctx, got)
}

// probeAccounts looks at what Keycloak says we may do with the first accounts there are. Some may be out of reach on
// purpose, under fine-grained permissions, so one that lets us is enough.
func (r *realm) probeAccounts(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	var some []user
	_, f := r.get(ctx, "looking for an account to see the rights on", r.path+"/users", url.Values{"max": {"5"}, "briefRepresentation": {"true"}}, &some)
	own := r.rights()
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing, f == nil && len(some) == 0 && !own.seesAll():
		got.Missing = append(got.Missing, "resetd's client sees no account of the realm "+r.config.Realm+"; "+r.grant("view-users"))
	case f != nil:
		return f
	}
	best, federated := map[string]bool{}, false
	for _, one := range some[:min(len(some), samples)] {
		u, f := r.user(ctx, one.ID)
		switch {
		case f != nil && (f.Code == schemas.CodePermissionMissing || f.Code == schemas.CodeAccountNotFound):
			continue
		case f != nil:
			return f
		}
		federated = federated || u.provider() != ""
		if rank(u.Access) > rank(best) {
			best = u.Access
		}
	}
	switch {
	case best["manage"] || own.has("manage-users", "realm-admin"):
	case best["resetPassword"]:
		got.Missing = append(got.Missing, "resetd's client may set passwords but not end sessions or demand a change (fine-grained permissions); "+r.grant("manage-users")+
			", or the scope manage beside reset-password in the permission for these users")
	default:
		got.Missing = append(got.Missing, "resetd's client may not change accounts; "+r.grant("manage-users"))
	}
	if federated && !own.has("view-realm", "manage-realm", "realm-admin") {
		got.Warn = append(got.Warn, "the realm has accounts from a directory, and resetd may not read whether Keycloak writes there: they all count as read only; "+
			"if they should be reset here, "+r.grant("view-realm"))
	}
	return nil
}

// rank orders what we may do with an account.
func rank(access map[string]bool) int {
	switch {
	case access["manage"]:
		return 2
	case access["resetPassword"]:
		return 1
	}
	return 0
}

// probePolicy looks at the password policy where it can be read, which takes view-realm.
func (r *realm) probePolicy(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	var about struct {
		Policy string `json:"passwordPolicy"`
	}
	if _, f := r.get(ctx, "reading the realm", r.path, nil, &about); f != nil {
		if f.Code == schemas.CodePermissionMissing {
			return nil
		}
		return f
	}
	for _, rule := range strings.Split(about.Policy, " and ") {
		switch {
		case strings.HasPrefix(rule, "length(") && number(rule) > 256:
			got.Unenforced = append(got.Unenforced, "the realm's password policy wants more than 256 characters, which resetd does not make; lower it: console, Authentication, Policies")
		case strings.HasPrefix(rule, "maxLength(") && number(rule) < 16:
			got.Unenforced = append(got.Unenforced, "the realm's password policy allows fewer than 16 characters, which resetd does not go below; raise it: console, Authentication, Policies")
		}
	}
	return nil
}
