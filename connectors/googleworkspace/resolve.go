package googleworkspace

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Resolve finds an account by its id or by an address. An address belongs to one account at most, as its primary one or an
// alias; a login is the primary address alone.
func (w *workspace) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	var u user
	var f *schemas.Failure
	switch a.Type {
	case schemas.AccountObjectID:
		u, f = w.read(ctx, a.Value)
	case schemas.AccountLogin:
		u, f = w.byAddress(ctx, a.Value, true)
	case schemas.AccountEmail, schemas.AccountAddress:
		u, f = w.byAddress(ctx, a.Value, false)
	case schemas.AccountUserName:
		u, f = w.byName(ctx, a.Value)
	default:
		f = w.none("Google has no %s; send a login, an e-mail address or the id", strings.ReplaceAll(string(a.Type), "_", " "))
	}
	if f != nil {
		return schemas.Identity{}, f
	}
	return schemas.Identity{ID: u.ID, Name: u.Primary}, nil
}

// byAddress looks an address up. Google answers to ids and aliases too, and may hold two spellings to be the same, so the
// answer counts only if it carries the very address.
func (w *workspace) byAddress(ctx context.Context, address string, primary bool) (user, *schemas.Failure) {
	local, domain, _ := strings.Cut(address, "@")
	switch {
	case local == "" || domain == "" || strings.ContainsAny(domain, "@ "):
		return user{}, w.none("a login is an address there, and this is none")
	case !w.inDomains(address):
		return user{}, w.none("the address is not in the domains that the settings name; list the domains of aliases too")
	}
	u, f := w.fetch(ctx, address, "looking the user up")
	switch {
	case f != nil:
		return user{}, w.lookup(f)
	case !u.has(address):
		return user{}, w.none("Google answered with %s, which does not carry the address; nobody was taken for it", u.Primary)
	case primary && !sameAddress(u.Primary, address):
		return user{}, w.none("this is an alias of %s, and nobody signs in with an alias; send it as an e-mail address if that account is meant", u.Primary)
	case !w.ours(u):
		return user{}, w.foreign(u)
	}
	return u, nil
}

// byName completes a bare name with the one domain that the settings give for that.
func (w *workspace) byName(ctx context.Context, name string) (user, *schemas.Failure) {
	switch {
	case strings.Contains(name, "@"):
		return user{}, w.none("a user name has no @; send it as a login or an e-mail address")
	case w.config.Domain == "":
		return user{}, w.none("Google has no user names without a domain; set domain in the settings if all are of one, or send the address")
	}
	return w.byAddress(ctx, name+"@"+w.config.Domain, true)
}

// lookup says what a failed look-up means beyond the usual.
func (w *workspace) lookup(f *schemas.Failure) *schemas.Failure {
	switch f.Code {
	case schemas.CodeAccountNotFound:
		return w.none("Google knows no such address")
	case schemas.CodePermissionMissing:
		// Google answers the same for the address of another customer.
		f.Detail += "; if the address may be of a domain that is not this customer's, list the customer's under domains"
	}
	return f
}

// none is the failure for nobody, with a reason.
func (w *workspace) none(format string, args ...any) *schemas.Failure {
	return schemas.Fail(schemas.CodeAccountNotFound, "nobody was found at "+product+" ("+w.env.System+"): "+format, args...)
}
