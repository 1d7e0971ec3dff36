package entra

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one account that is meant. What a list gives is read again by its id, because lists follow changes with
// a delay, and must still carry the name asked for.
func (t *tenant) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	found, f := t.find(ctx, a)
	switch {
	case f != nil:
		return schemas.Identity{}, f
	case len(found) == 0:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "no account of the tenant (%s) has this %s", t.env.System, a.Type)
	case len(found) > 1:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account of the tenant (%s) has this %s; name the object id", t.env.System, a.Type)
	}
	return schemas.Identity{ID: strings.ToLower(found[0].ID), Name: found[0].UPN}, nil
}

// find gives the accounts of that name, more than one if there are more.
func (t *tenant) find(ctx context.Context, a schemas.Account) ([]*user, *schemas.Failure) {
	v := a.Value
	if v == "" || schemas.CheckText(v, schemas.MaxAccountBytes, false) != nil {
		return nil, nil
	}
	switch a.Type {
	case schemas.AccountObjectID:
		return t.direct(ctx, v, guidForm.MatchString(v), func(u *user) bool { return strings.EqualFold(u.ID, v) })
	case schemas.AccountLogin:
		return t.byLogin(ctx, v)
	case schemas.AccountEmail:
		return t.byMail(ctx, v)
	case schemas.AccountAddress:
		return t.byAddress(ctx, v)
	case schemas.AccountUserName:
		return t.byPremises(ctx, v, func(*user) bool { return true })
	case schemas.AccountDownLevel:
		domain, name, ok := strings.Cut(v, `\`)
		if !ok || domain == "" || name == "" {
			return nil, nil
		}
		return t.byPremises(ctx, name, func(u *user) bool { return inDomain(u.Domain, domain) })
	case schemas.AccountSID:
		return t.bySID(ctx, v)
	}
	return nil, nil // a distinguished name: Entra has none of its own
}

// byLogin finds by the user principal name. A name without @ is none, and as an id it would find somebody of another type.
func (t *tenant) byLogin(ctx context.Context, v string) ([]*user, *schemas.Failure) {
	match := func(u *user) bool { return same(u.UPN, v) }
	if strings.HasPrefix(v, "$") { // such a name in a path is taken for a part of OData
		return t.list(ctx, "userPrincipalName eq "+quote(v), basic, match)
	}
	return t.direct(ctx, v, strings.Contains(v, "@"), match)
}

func (t *tenant) byMail(ctx context.Context, v string) ([]*user, *schemas.Failure) {
	return t.list(ctx, "mail eq "+quote(v)+" or proxyAddresses/any(p:p eq "+quote("smtp:"+v)+")", basic, func(u *user) bool { return u.hasMail(v) })
}

// byAddress finds by both, which must lead to one account.
func (t *tenant) byAddress(ctx context.Context, v string) ([]*user, *schemas.Failure) {
	found, f := t.byLogin(ctx, v)
	if f != nil {
		return nil, f
	}
	more, f := t.byMail(ctx, v)
	if f != nil {
		return nil, f
	}
	for _, u := range more {
		if len(found) == 0 || !strings.EqualFold(u.ID, found[0].ID) {
			found = append(found, u)
		}
	}
	return found, nil
}

// byPremises finds by the name in the on-premises directory, which filters as an "advanced query" only.
func (t *tenant) byPremises(ctx context.Context, name string, also func(*user) bool) ([]*user, *schemas.Failure) {
	return t.list(ctx, "onPremisesSamAccountName eq "+quote(name), advanced, func(u *user) bool { return same(u.SAM, name) && also(u) })
}

// bySID finds by the on-premises SID, or by the cloud's own, which is the object id in another form.
func (t *tenant) bySID(ctx context.Context, sid string) ([]*user, *schemas.Failure) {
	if id, ok := idOfSID(sid); ok {
		return t.direct(ctx, id, true, func(u *user) bool { return strings.EqualFold(u.ID, id) && (u.CloudSID == "" || u.CloudSID == sid) })
	}
	return t.list(ctx, "onPremisesSecurityIdentifier eq "+quote(sid), basic, func(u *user) bool { return u.SID == sid })
}

// direct reads by a key of the path.
func (t *tenant) direct(ctx context.Context, key string, wellFormed bool, match func(*user) bool) ([]*user, *schemas.Failure) {
	if !wellFormed {
		return nil, nil
	}
	u, f := t.read(ctx, key)
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound, f == nil && !match(u):
		return nil, nil
	case f != nil:
		return nil, f
	}
	return []*user{u}, nil
}

// hasMail tells whether an address is the user's main one or an alias.
func (u *user) hasMail(v string) bool {
	if same(u.Mail, v) {
		return true
	}
	for _, p := range u.Proxies {
		if kind, address, ok := strings.Cut(p, ":"); ok && strings.EqualFold(kind, "smtp") && same(address, v) {
			return true
		}
	}
	return false
}

// inDomain tells whether a down-level domain is the one in which the account lives. Entra knows the DNS name only, and a
// NetBIOS name is its first label as a rule; where it is another, the name finds nobody.
func inDomain(dns, domain string) bool {
	label, _, _ := strings.Cut(dns, ".")
	return dns != "" && (same(dns, domain) || same(label, domain))
}

// idOfSID gives the object id in a SID of the cloud: S-1-12-1 and the GUID's 16 bytes as four little-endian numbers
// (MS-DTYP §2.4.2.4 lists the authority 12).
func idOfSID(sid string) (string, bool) {
	text, ok := strings.CutPrefix(sid, "S-1-12-1-")
	parts := strings.Split(text, "-")
	if !ok || len(parts) != 4 {
		return "", false
	}
	var b [16]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", false
		}
		binary.LittleEndian.PutUint32(b[4*i:], uint32(n))
	}
	// A GUID's first three fields are little-endian, too (MS-DTYP §2.3.4.2).
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b[0:]), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:]), true
}
