package entra_test

import (
	"strings"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/schemas"
)

// ambiguous adds accounts that share names: an address, the login of one that is the address of another, a user name.
func ambiguous(w *world) {
	w.add("twin1@example.com", func(p *person) { p.mail, p.sam, p.domain = "twins@example.com", "twin", "a.example.com" })
	w.add("twin2@example.com", func(p *person) {
		p.proxies, p.sam, p.domain = []string{"smtp:Twins@example.com"}, "twin", "b.example.com"
	})
	w.add("crossed@example.com", nil)
	w.add("other@example.com", func(p *person) { p.mail = "crossed@example.com" })
}

// missing are names of every type that nobody has.
func missing() []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountLogin, Value: "nobody@example.com"}, {Type: schemas.AccountEmail, Value: "nobody@example.com"},
		{Type: schemas.AccountAddress, Value: "nobody@example.com"}, {Type: schemas.AccountUserName, Value: "nobody"},
		{Type: schemas.AccountDownLevel, Value: `EXAMPLE\nobody`}, {Type: schemas.AccountDownLevel, Value: `ELSEWHERE\twin`},
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountSID, Value: "S-1-12-1-1-2-3-4"}, {Type: schemas.AccountSID, Value: "S-1-12-1-1-2-3"},
		{Type: schemas.AccountObjectID, Value: "11111111-2222-4333-8444-555555555555"}, {Type: schemas.AccountObjectID, Value: "no-guid"},
		// Types are not guessed across: a login as an id, an id as a login, a login as a user name.
		{Type: schemas.AccountObjectID, Value: "crossed@example.com"}, {Type: schemas.AccountUserName, Value: "crossed@example.com"},
		{Type: schemas.AccountEmail, Value: "twin1@example.com"}, {Type: schemas.AccountLogin, Value: "twins@example.com"},
		{Type: schemas.AccountDN, Value: "CN=twin,DC=example,DC=com"}, {Type: schemas.AccountLogin, Value: ""},
	}
}

// hostile are names that find somebody unless they are escaped.
func hostile() []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"x' or userPrincipalName eq 'crossed@example.com", "x') or proxyAddresses/any(p:p eq 'smtp:twins@example.com", "'",
		"crossed@example.com?$select=id", "crossed@example.com/manager", "crossed@example.com#", "../users/crossed@example.com", "crossed%40example.com", "*", "crossed@example.com\x00",
		"$value", "$filter=id ne null@x", "crossed@example.com\u200b", "\u212Aim@example.com"} {
		for _, kind := range []schemas.AccountType{schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountUserName, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return append(out, schemas.Account{Type: schemas.AccountDownLevel, Value: `a' or 'a' eq 'a\twin' or 'a' eq 'a`}, schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21' or mail eq 'twins@example.com"})
}

// tricky adds people whose names hold what OData and URLs give a meaning to, and names one of them in every way.
func tricky(w *world) []conformance.Person {
	var out []conformance.Person
	add := func(p *person, kind schemas.AccountType, value string) {
		out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: p.id})
	}
	for _, upn := range []string{"o'neill@example.com", "a+b&c=d@example.com", "100%@example.com", "$dollar@example.com",
		"alice_partner.example#EXT#@contoso.onmicrosoft.com", "sla/sh@example.com", "que?ry@example.com", "(paren)@example.com"} {
		p := w.add(upn, func(p *person) { p.mail = "mail-" + strings.ReplaceAll(upn, "#EXT#", "") })
		add(p, schemas.AccountLogin, upn)
		add(p, schemas.AccountLogin, strings.ToUpper(upn))
		add(p, schemas.AccountEmail, p.mail)
		if strings.Count(upn, "@") == 1 {
			add(p, schemas.AccountAddress, upn)
		}
	}
	add(w.add("kim@example.com", nil), schemas.AccountLogin, "Kim@example.com")
	p := w.add("frodo@example.com", func(p *person) {
		p.mail, p.proxies = "frodo.b@example.com", []string{"SMTP:frodo.b@example.com", "smtp:ring@example.com", "sip:call@example.com"}
		p.sam, p.domain, p.sid, p.synced = "frodo", "shire.example.com", "S-1-5-21-7-7-7-1107", yes()
	})
	add(p, schemas.AccountObjectID, p.id)
	add(p, schemas.AccountObjectID, strings.ToUpper(p.id))
	add(p, schemas.AccountEmail, "Frodo.B@example.com")
	add(p, schemas.AccountEmail, "ring@example.com")
	add(p, schemas.AccountAddress, "ring@example.com")
	add(p, schemas.AccountUserName, "Frodo")
	add(p, schemas.AccountDownLevel, `SHIRE\frodo`)
	add(p, schemas.AccountDownLevel, `shire.example.com\frodo`)
	add(p, schemas.AccountSID, "S-1-5-21-7-7-7-1107")
	add(p, schemas.AccountSID, cloudSID(p.id))
	twin := w.find("twin1@example.com")
	add(twin, schemas.AccountDownLevel, `A\twin`)
	return out
}
