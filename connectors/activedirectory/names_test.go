package activedirectory_test

import (
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// sidOf reads a SID as text.
func sidOf(t *testing.T, s *testserver.SambaServer, dn string) string {
	t.Helper()
	raw := value(t, s, dn, "objectSid")
	out := "S-1-" + strconv.Itoa(int(raw[7]))
	for at := 8; at < len(raw); at += 4 {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32([]byte(raw[at:]))), 10)
	}
	return out
}

// missing are names of every type that nobody has.
func missing(t *testing.T, s *testserver.SambaServer) []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody@resetd.test"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountDownLevel, Value: `RESETD\nobody`}, {Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"},
		{Type: schemas.AccountObjectID, Value: "11111111-2222-4333-8444-555555555555"}, {Type: schemas.AccountObjectID, Value: "no-guid"},
		{Type: schemas.AccountDN, Value: "CN=nobody," + s.PeopleDN},
		// There, but no account, or outside of the base.
		{Type: schemas.AccountDN, Value: s.PeopleDN}, {Type: schemas.AccountSID, Value: "S-1-5-32-544"},
		{Type: schemas.AccountUserName, Value: "Domain Admins"}, {Type: schemas.AccountDN, Value: "CN=Configuration," + s.BaseDN},
		{Type: schemas.AccountDN, Value: "CN=jdoe,DC=other,DC=test"}, {Type: schemas.AccountDN, Value: "no dn"}, {Type: schemas.AccountDN, Value: ""},
		{Type: schemas.AccountDN, Value: "<GUID=" + named(t, s, testserver.JDoe).ID + ">"},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: testserver.JDoe}, {Type: schemas.AccountUserName, Value: "jdoe@resetd.test"}, {Type: schemas.AccountUserName, Value: `RESETD\jdoe`},
		{Type: schemas.AccountLogin, Value: testserver.JDoe}, {Type: schemas.AccountLogin, Value: "jdoe@example.com"}, {Type: schemas.AccountEmail, Value: "jdoe@resetd.test"},
		{Type: schemas.AccountLogin, Value: "jdoe@other.test"}, {Type: schemas.AccountLogin, Value: "@resetd.test"},
		// Of another domain.
		{Type: schemas.AccountDownLevel, Value: `OTHER\jdoe`}, {Type: schemas.AccountDownLevel, Value: `other.test\jdoe`}, {Type: schemas.AccountDownLevel, Value: `\jdoe`},
		{Type: "colour", Value: "green"},
	}
}

// hostile are filters and patterns that find somebody unless they are escaped.
func hostile(s *testserver.SambaServer) []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"*", "jd*", "j*e", "jdoe)(sAMAccountName=*", "*)(objectClass=*", `jdoe\`, "jdoe\x00", "nobody)(|(sAMAccountName=jdoe)", `\6adoe`,
		"*@resetd.test", "j*@resetd.test", "x)(|(sAMAccountName=jdoe)@resetd.test", `RESETD\*`, `RESETD\j*`, `*\jdoe`, `RESETD\jdoe)(cn=*`} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress,
			schemas.AccountObjectID, schemas.AccountSID, schemas.AccountDownLevel} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return append(out, schemas.Account{Type: schemas.AccountDN, Value: "CN=*," + s.PeopleDN},
		schemas.Account{Type: schemas.AccountDN, Value: `CN=jdoe,OU=People\2cDC=resetd,DC=test`})
}

// ambiguous are names that lead to more than one account: a shared address, and one's login that is another's address.
func ambiguous(t *testing.T, s *testserver.SambaServer) []schemas.Account {
	t.Helper()
	add(t, s, "CN=amb1,"+s.PeopleDN, map[string]string{"objectClass": "user", "sAMAccountName": "amb1", "userPrincipalName": "shared@resetd.test"})
	add(t, s, "CN=amb2,"+s.PeopleDN, map[string]string{"objectClass": "user", "sAMAccountName": "amb2", "mail": "shared@resetd.test"})
	return []schemas.Account{
		{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "TWINS@example.com"},
		{Type: schemas.AccountAddress, Value: "shared@resetd.test"},
	}
}

// tricky adds people whose names are full of what LDAP gives a meaning to, and names jdoe in every way there is.
func tricky(t *testing.T, s *testserver.SambaServer) []conformance.Person {
	t.Helper()
	names := map[string]string{
		"o'neill(tip)": `CN=O'Neill\, \"Tip\" \<#\+\;\=\>*(x)\\`, "žluťoučký.kůň": "CN=žluťoučký kůň", "#lead": `CN=\#lead`, "plain upn": "CN=plain upn",
	}
	var out []conformance.Person
	for name, rdn := range names {
		dn := rdn + "," + s.PeopleDN
		add(t, s, dn, map[string]string{"objectClass": "user", "sAMAccountName": name, "mail": "tricky*()@example.com"})
		id := identityOf(t, s, dn).ID
		for kind, value := range map[schemas.AccountType]string{schemas.AccountUserName: name, schemas.AccountDN: dn, schemas.AccountDownLevel: `RESETD\` + name,
			schemas.AccountLogin: name + "@resetd.test"} { // the natural principal name, which nothing stores
			out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: id})
		}
	}
	for _, address := range []string{"alias.one@example.com", "Alias.Two@EXAMPLE.com"} {
		for _, kind := range []schemas.AccountType{schemas.AccountEmail, schemas.AccountAddress} {
			out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: address}, ID: named(t, s, testserver.Alias).ID})
		}
	}
	id, dn := named(t, s, testserver.JDoe).ID, s.Person(testserver.JDoe).DN
	for _, a := range []schemas.Account{
		{Type: schemas.AccountUserName, Value: "JDoe"}, {Type: schemas.AccountLogin, Value: "JDOE@resetd.test"}, {Type: schemas.AccountEmail, Value: "JDOE@example.com"},
		{Type: schemas.AccountAddress, Value: "jdoe@example.com"}, {Type: schemas.AccountAddress, Value: "jdoe@RESETD.test"}, {Type: schemas.AccountDownLevel, Value: `resetd\JDOE`},
		{Type: schemas.AccountDownLevel, Value: `Resetd.Test\jdoe`}, {Type: schemas.AccountSID, Value: sidOf(t, s, dn)}, {Type: schemas.AccountObjectID, Value: id},
		{Type: schemas.AccountDN, Value: "cn=JDOE, ou=people,dc=RESETD,DC=test"},
	} {
		out = append(out, conformance.Person{Account: a, ID: id})
	}
	return out
}

// A directory may fold letters of other alphabets into ASCII. Whoever is not named so is not meant.
func TestNameInForeignLettersFindsNobodyElse(t *testing.T) {
	s := domain(t)
	add(t, s, "CN=skim,"+s.PeopleDN, map[string]string{"objectClass": "user", "sAMAccountName": "skim", "mail": "skim@example.com", "userPrincipalName": "skim@resetd.test"})
	c := open(t, configOf(s))
	for _, name := range []string{"s\u212aim", "sk\u0131m", "\u017fkim", "\uff53kim", "sk\u00edm"} {
		for kind, value := range map[schemas.AccountType]string{schemas.AccountUserName: name, schemas.AccountLogin: name + "@resetd.test", schemas.AccountEmail: name + "@example.com",
			schemas.AccountAddress: name + "@example.com", schemas.AccountDownLevel: `RESETD\` + name, schemas.AccountDN: "CN=" + name + "," + s.PeopleDN} {
			id, err := c.Resolve(t.Context(), schemas.Account{Type: kind, Value: value})
			if schemas.CodeOf(err) != schemas.CodeAccountNotFound {
				t.Errorf("%s %+q found %s (%v)", kind, value, id.Name, err)
			}
		}
	}
}

// The one that was meant may be the one that resetd may not touch.
func TestAddressThatAnAccountOutsideOfTheBaseSharesIsAmbiguous(t *testing.T) {
	s := domain(t)
	add(t, s, "CN=inside,"+s.PeopleDN, map[string]string{"objectClass": "user", "sAMAccountName": "inside", "mail": "both@example.com"})
	add(t, s, "CN=outside,"+s.VIPDN, map[string]string{"objectClass": "user", "sAMAccountName": "outside", "mail": "other@example.com", "proxyAddresses": "smtp:both@example.com"})
	config := configOf(s)
	config.BaseDN = s.PeopleDN
	c := open(t, config)
	for _, kind := range []schemas.AccountType{schemas.AccountEmail, schemas.AccountAddress} {
		_, err := c.Resolve(t.Context(), schemas.Account{Type: kind, Value: "both@example.com"})
		wantCode(t, err, schemas.CodeAccountAmbiguous)
		_, err = c.Resolve(t.Context(), schemas.Account{Type: kind, Value: "other@example.com"})
		wantCode(t, err, schemas.CodeAccountNotFound)
	}
	if _, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "inside"}); err != nil {
		t.Error(err)
	}
}
