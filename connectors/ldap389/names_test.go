package ldap389_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// missing are names of every type that nobody has.
func missing(s *testserver.DS389Server) []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountObjectID, Value: "11111111-22224333-84445555-55555555"}, {Type: schemas.AccountObjectID, Value: "no id"},
		{Type: schemas.AccountDN, Value: "uid=nobody," + s.PeopleDN},
		// There, but no accounts.
		{Type: schemas.AccountDN, Value: s.PeopleDN}, {Type: schemas.AccountDN, Value: s.ServiceDN},
		{Type: schemas.AccountDN, Value: "cn=config"}, {Type: schemas.AccountDN, Value: "no dn"}, {Type: schemas.AccountDN, Value: ""},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: testserver.JDoe}, {Type: schemas.AccountUserName, Value: "jdoe@example.com"},
		{Type: schemas.AccountLogin, Value: "jdoe@example.com"},
		// Not of this system.
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\jdoe`},
	}
}

// hostile are filters and patterns that find somebody unless they are escaped.
func hostile(s *testserver.DS389Server) []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"*", "jd*", "j*e", "jdoe)(uid=*", "*)(objectClass=*", `jdoe\`, "jdoe\x00", "nobody)(|(uid=jdoe)", `\6adoe`, "*)(uid=*))(|(uid=*"} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return append(out, schemas.Account{Type: schemas.AccountDN, Value: "uid=*," + s.PeopleDN},
		schemas.Account{Type: schemas.AccountDN, Value: `uid=jdoe,ou=people\2cdc=example,dc=com`})
}

// tricky adds people whose names are full of what LDAP gives a meaning to, and names jdoe in every way there is. The server
// takes no names outside of ASCII unless its plug-in for that is turned off.
func tricky(t *testing.T, s *testserver.DS389Server) []conformance.Person {
	names := map[string]string{
		`star*(paren)\back`: `uid=star*(paren)\5cback`, `O'Neill, "Tip" <#+;=>`: `uid=O'Neill\2c \22Tip\22 \3c#\2b\3b\3d\3e`, "#lead": `uid=\23lead`,
	}
	var out []conformance.Person
	for uid, rdn := range names {
		dn := rdn + "," + s.PeopleDN
		r := ldap.NewAddRequest(dn, nil)
		for name, value := range map[string]string{"objectClass": "inetOrgPerson", "uid": uid, "cn": uid, "sn": uid, "mail": "tricky*()@example.com"} {
			r.Attribute(name, []string{value})
		}
		if err := asRoot(t, s).Add(r); err != nil {
			t.Fatalf("adding %s: %v", dn, err)
		}
		id := identityOf(t, s, dn).ID
		for kind, value := range map[schemas.AccountType]string{schemas.AccountUserName: uid, schemas.AccountDN: dn} {
			out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: id})
		}
	}
	id := identityOf(t, s, s.Person(testserver.JDoe).DN).ID
	for kind, value := range map[schemas.AccountType]string{
		schemas.AccountUserName: "JDoe", schemas.AccountLogin: "jdoe", schemas.AccountEmail: "JDOE@example.com", schemas.AccountAddress: "jdoe@example.com",
		schemas.AccountObjectID: id, schemas.AccountDN: "UID=jdoe, OU=People,DC=example,dc=com",
	} {
		out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: id})
	}
	return out
}
