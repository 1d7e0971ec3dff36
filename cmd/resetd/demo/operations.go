package demo

import (
	"slices"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/jimlambrt/gldap"
)

func (d *Directory) bind(w *gldap.ResponseWriter, r *gldap.Request) {
	code := gldap.ResultInvalidCredentials
	if m, err := r.GetSimpleBindMessage(); err == nil {
		if works, _ := d.Login(m.UserName, string(m.Password)); works {
			code = gldap.ResultSuccess
			d.mu.Lock()
			d.bound[r.ConnectionID()] = strings.ToLower(m.UserName)
			d.mu.Unlock()
		}
	}
	_ = w.Write(r.NewBindResponse(gldap.WithResponseCode(code)))
}

func (d *Directory) search(w *gldap.ResponseWriter, r *gldap.Request) {
	answer := func(code int) { _ = w.Write(r.NewSearchDoneResponse(gldap.WithResponseCode(code))) }
	m, err := r.GetSearchMessage()
	if err != nil {
		answer(gldap.ResultProtocolError)
		return
	}
	if m.BaseDN == "" && m.Scope == gldap.BaseObject {
		_ = w.Write(r.NewSearchResponseEntry("", gldap.WithAttributes(map[string][]string{"objectClass": {"top", "OpenLDAProotDSE"},
			"vendorName": {"resetd demo directory"}, "namingContexts": {BaseDN}, "supportedLDAPVersion": {"3"}, "supportedControl": {ppolicyOID}})))
		answer(gldap.ResultSuccess)
		return
	}
	filter, err := ldap.CompileFilter(m.Filter)
	if err != nil {
		answer(gldap.ResultProtocolError)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bound[r.ConnectionID()] == "" {
		answer(gldap.ResultInsufficientAccessRights)
		return
	}
	if d.find(m.BaseDN) == nil {
		answer(gldap.ResultNoSuchObject)
		return
	}
	sent := int64(0)
	for _, e := range d.entries {
		if !inScope(e.dn, m.BaseDN, m.Scope) || !matches(filter, e.attrs) {
			continue
		}
		if m.SizeLimit > 0 && sent == m.SizeLimit {
			answer(gldap.ResultSizeLimitExceeded)
			return
		}
		sent++
		_ = w.Write(r.NewSearchResponseEntry(e.dn, gldap.WithAttributes(project(e.attrs, m.Attributes))))
	}
	answer(gldap.ResultSuccess)
}

func inScope(dn, base string, scope gldap.Scope) bool {
	dn, base = strings.ToLower(dn), strings.ToLower(base)
	rest, under := strings.CutSuffix(dn, ","+base)
	switch scope {
	case gldap.BaseObject:
		return dn == base
	case gldap.SingleLevel:
		return under && !strings.Contains(rest, ",")
	}
	return dn == base || under
}

// project gives the attributes that were asked for, by the names that were used. Passwords are never read.
func project(attrs map[string][]string, wanted []string) map[string][]string {
	out := map[string][]string{}
	for _, name := range wanted {
		if values := attrs[strings.ToLower(name)]; len(values) > 0 {
			out[name] = values
		}
	}
	if len(wanted) == 0 || slices.Contains(wanted, "*") || slices.Contains(wanted, "+") {
		for name, values := range attrs {
			out[name] = values
		}
	}
	return out
}

func (d *Directory) modify(w *gldap.ResponseWriter, r *gldap.Request) {
	answer := func(code int) { _ = w.Write(r.NewModifyResponse(gldap.WithResponseCode(code))) }
	m, err := r.GetModifyMessage()
	if err != nil {
		answer(gldap.ResultProtocolError)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.find(m.DN)
	switch {
	case e == nil:
		answer(gldap.ResultNoSuchObject)
	case d.bound[r.ConnectionID()] != strings.ToLower(ServiceDN):
		answer(gldap.ResultInsufficientAccessRights)
	default:
		answer(d.change(e, m.Changes, time.Now()))
	}
}

// change applies all changes or none. The service may write userPassword and pwdReset and nothing else.
func (d *Directory) change(e *entry, changes []gldap.Change, now time.Time) int {
	for i := range changes {
		changes[i].Modification.Vals = values(changes[i].Modification.Vals)
	}
	for _, c := range changes {
		name := strings.ToLower(c.Modification.Type)
		if name != "userpassword" && name != "pwdreset" {
			return gldap.ResultInsufficientAccessRights
		}
		if c.Operation == gldap.DeleteAttribute {
			if !slices.Equal(c.Modification.Vals, e.attrs[name]) || name == "userpassword" {
				return gldap.ResultNoSuchAttribute
			}
		} else if len(c.Modification.Vals) != 1 {
			return gldap.ResultConstraintViolation
		}
		if name == "userpassword" && len(c.Modification.Vals[0]) < 12 {
			return gldap.ResultConstraintViolation
		}
	}
	for _, c := range changes {
		name := strings.ToLower(c.Modification.Type)
		switch {
		case c.Operation == gldap.DeleteAttribute:
			delete(e.attrs, name)
		case name == "userpassword":
			e.secret = c.Modification.Vals[0]
			e.attrs["pwdchangedtime"] = []string{generalized(now)}
		default:
			e.attrs[name] = c.Modification.Vals
		}
	}
	d.stamp(e, now)
	return gldap.ResultSuccess
}

// values takes the values of a modification out of the SET that holds them (RFC 4511 §4.6): the library gives the
// contents of the SET as they were encoded.
func values(sets []string) []string {
	var out []string
	for _, set := range sets {
		for rest := []byte(set); len(rest) > 0; {
			p, err := ber.DecodePacketErr(rest)
			if err != nil {
				return nil
			}
			out = append(out, ber.DecodeString(p.Data.Bytes()))
			rest = rest[len(p.Bytes()):]
		}
	}
	return out
}
