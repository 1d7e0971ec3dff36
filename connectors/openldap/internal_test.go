package openldap

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestJudgement(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 22, 7, 0, second, 0, time.UTC) }
	csn := func(stamp string) string { return "202611220700" + stamp + "Z#000000#000#000000" }
	strict := policy{state: policyStrict, overlay: overlayActs}
	hinted, unproved, idle := policy{state: policyStrict, overlay: overlayHinted}, policy{state: policyStrict}, policy{state: policyIdle, overlay: overlayIdle}
	old := schemas.Evidence{PasswordChangedAt: at(1), Marker: csn("01.500000")}
	for name, one := range map[string]struct {
		now, since schemas.Evidence
		policy     policy
		state      schemas.ProofState
		code       schemas.Code
		changed    bool
	}{
		"nothing happened":                 {old, old, strict, schemas.ProofNotEnforced, "", false},
		"reset":                            {schemas.Evidence{PasswordChangedAt: at(9), MustChange: true, Marker: csn("09.1")}, old, strict, schemas.ProofEnforced, "", true},
		"reset, first time":                {schemas.Evidence{PasswordChangedAt: at(9), MustChange: true, Marker: csn("09.1")}, schemas.Evidence{Marker: csn("01.0")}, strict, schemas.ProofEnforced, "", true},
		"reset within the same second":     {schemas.Evidence{PasswordChangedAt: at(1), MustChange: true, Marker: csn("01.900000")}, old, strict, schemas.ProofEnforced, "", true},
		"flag only":                        {schemas.Evidence{PasswordChangedAt: at(1), MustChange: true, Marker: csn("05.0")}, old, strict, schemas.ProofEnforced, "", false},
		"another attribute was written":    {schemas.Evidence{PasswordChangedAt: at(1), Marker: csn("05.0")}, old, strict, schemas.ProofNotEnforced, "", false},
		"the user answered":                {schemas.Evidence{PasswordChangedAt: at(9), Marker: csn("09.1")}, old, strict, schemas.ProofNotEnforced, schemas.CodeConflict, true},
		"the flag was there before":        {flagged(old), flagged(old), strict, schemas.ProofNotEnforced, "", false},
		"the flag was there and set again": {schemas.Evidence{PasswordChangedAt: at(1), MustChange: true, Marker: csn("07.0")}, flagged(old), strict, schemas.ProofEnforced, "", false},
		"lax policy":                       {schemas.Evidence{PasswordChangedAt: at(9), MustChange: true, Marker: csn("09.1")}, old, policy{state: policyLax}, schemas.ProofNotEnforced, schemas.CodeUnenforced, true},
		"no overlay":                       {schemas.Evidence{Marker: csn("09.1")}, schemas.Evidence{Marker: csn("01.0")}, policy{state: policyMissing}, schemas.ProofNotEnforced, schemas.CodeUnenforced, false},
		"unknown policy":                   {schemas.Evidence{PasswordChangedAt: at(9), MustChange: true, Marker: csn("09.1")}, old, policy{overlay: overlayActs}, schemas.ProofUnknown, "", true},
		"overlay elsewhere, flag only":     {schemas.Evidence{PasswordChangedAt: at(1), MustChange: true, Marker: csn("05.0")}, old, idle, schemas.ProofNotEnforced, schemas.CodeUnenforced, false},
		"overlay hinted, flag only":        {schemas.Evidence{PasswordChangedAt: at(1), MustChange: true, Marker: csn("05.0")}, old, hinted, schemas.ProofEnforced, "", false},
		"overlay unproved, flag only":      {schemas.Evidence{MustChange: true, Marker: csn("05.0")}, schemas.Evidence{Marker: csn("01.0")}, unproved, schemas.ProofNotEnforced, schemas.CodeUnenforced, false},
		"unknown policy, nothing happened": {old, old, policy{}, schemas.ProofNotEnforced, "", false},
	} {
		got := judge(one.now, one.since, one.policy)
		if got.State != one.state || got.Code != one.code || got.Changed != one.changed || got.Evidence != one.now {
			t.Errorf("%s: %+v; want %s, %q, changed %t", name, got, one.state, one.code, one.changed)
		}
	}
}

func TestChangeIsBoundToWhatWasRead(t *testing.T) {
	a := account{id: "u*", changed: "20261122070001Z", evidence: schemas.Evidence{Marker: "csn"}}
	fresh, hidden := account{id: "u", evidence: schemas.Evidence{Marker: "csn", MustChange: true}}, account{id: "u", changed: a.changed}
	for _, one := range []struct {
		account    account
		state      policyState
		collisions int
		want       string
	}{
		{a, policyStrict, 0, `(&(entryUUID=u\2a)(entryCSN=csn))`},
		{a, policyUnknown, 2, `(&(entryUUID=u\2a)(entryCSN=csn))`},
		{a, policyStrict, 3, `(&(entryUUID=u\2a)(!(pwdReset=TRUE))(pwdChangedTime=20261122070001Z))`},
		{fresh, policyLax, 3, `(&(entryUUID=u)(pwdReset=TRUE)(!(pwdChangedTime=*)))`},
		{hidden, policyStrict, 0, `(&(entryUUID=u)(!(pwdReset=TRUE))(pwdChangedTime=20261122070001Z))`},
		{a, policyMissing, 3, `(&(entryUUID=u\2a)(entryCSN=csn))`},
		{hidden, policyMissing, 0, `(&(entryUUID=u))`},
	} {
		got := one.account.assertion(policy{state: one.state}, one.collisions)
		if _, err := ldap.CompileFilter(got); err != nil || got != one.want {
			t.Errorf("%+v after %d collisions: %s (%v), want %s", one.account, one.collisions, got, err, one.want)
		}
	}
}

func TestReadBackFindsWhatDoesNotBind(t *testing.T) {
	d := &directory{}
	set := schemas.Evidence{PasswordChangedAt: time.Unix(1, 0), MustChange: true}
	for name, one := range map[string]struct {
		after schemas.Evidence
		state policyState
		mode  schemas.Mode
		binds bool
	}{
		"all there":                             {set, policyStrict, schemas.ModeRandomize, true},
		"policy not known":                      {set, policyUnknown, schemas.ModeRandomize, true},
		"lax policy":                            {set, policyLax, schemas.ModeRandomize, false},
		"no overlay":                            {schemas.Evidence{}, policyMissing, schemas.ModeRandomize, false},
		"flag not stored":                       {schemas.Evidence{PasswordChangedAt: time.Unix(1, 0)}, policyStrict, schemas.ModeRandomize, false},
		"flag not stored, expire":               {schemas.Evidence{}, policyStrict, schemas.ModeExpire, false},
		"overlay of another database, old time": {schemas.Evidence{PasswordChangedAt: time.Unix(0, 0), MustChange: true}, policyStrict, schemas.ModeRandomize, false},
		"overlay known to be elsewhere":         {set, policyIdle, schemas.ModeRandomize, false},
		"overlay of another database":           {schemas.Evidence{MustChange: true}, policyStrict, schemas.ModeRandomize, false},
		"expire of a first password":            {schemas.Evidence{MustChange: true}, policyStrict, schemas.ModeExpire, true},
	} {
		before := account{evidence: schemas.Evidence{PasswordChangedAt: time.Unix(0, 0)}}
		if why := d.shortfall(before, account{evidence: one.after}, policy{state: one.state, why: "because"}, one.mode); (why == "") != one.binds {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestExpireWantsTheOverlayShown(t *testing.T) {
	d := &directory{bind: &ldap.DN{}}
	for name, one := range map[string]struct {
		policy policy
		code   schemas.Code
	}{
		"acts":      {policy{state: policyStrict, overlay: overlayActs}, ""},
		"hinted":    {policy{state: policyStrict, overlay: overlayHinted}, ""},
		"unproved":  {policy{state: policyStrict}, schemas.CodeUnenforced},
		"elsewhere": {policy{state: policyIdle, overlay: overlayIdle}, schemas.CodeUnenforced},
	} {
		got := schemas.Code("")
		if f := d.refuse(account{dn: "uid=x"}, one.policy, schemas.ModeExpire); f != nil {
			got = f.Code
		}
		if got != one.code {
			t.Errorf("%s: %q, want %q", name, got, one.code)
		}
		if f := d.refuse(account{dn: "uid=x"}, one.policy, schemas.ModeRandomize); f != nil {
			t.Errorf("%s: randomize puts out the thief in any case, but %v", name, f)
		}
	}
}

func flagged(e schemas.Evidence) schemas.Evidence {
	e.MustChange = true
	return e
}

// Evidence goes through the ledger as JSON and is compared afterwards.
func TestEvidenceSurvivesTheLedger(t *testing.T) {
	e := accountOf(ldap.NewEntry("uid=x", map[string][]string{attrChanged: {"20261122070001Z"}, attrCSN: {"20261122070001.5Z#0#0#0"}, attrReset: {"TRUE"}}), "uid").evidence
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back schemas.Evidence
	if err := json.Unmarshal(text, &back); err != nil || !e.Same(back) || e.PasswordChangedAt.IsZero() || !e.MustChange {
		t.Errorf("%+v became %+v (%v)", e, back, err)
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	c := &Config{URLs: []string{"http://a", "ldaps://u:hunter22@b", "ldap://c/dc=x"}, BindDN: "no dn", UserFilter: "uid=x", UIDAttribute: "a b", ProbeDN: "x"}
	err := c.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is not joined", err)
	}
	var keys []string
	for _, one := range joined.Unwrap() {
		mistake, ok := one.(*connectors.ConfigError)
		if !ok {
			t.Fatalf("%v is no mistake at a key", one)
		}
		keys = append(keys, mistake.Key)
	}
	want := "urls urls urls password bind_dn base_dn probe_dn user_filter uid_attribute mail_attribute timeout pool"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("mistakes at %s; want %s", got, want)
	}
	if strings.Contains(err.Error(), "hunter22") {
		t.Error("a password in an address shows in the error")
	}
	for _, text := range []string{"ldap://", "ldaps:// x", "://", "ldapi://%2Fvar%2Frun", "ldaps://a?b", "ldap.example.com"} {
		if _, err := (&Config{URL: text}).connection("").Servers(); len(err) == 0 {
			t.Errorf("%q was taken for an address", text)
		}
	}
	if _, err := (&Config{URL: "ldap://a", URLs: []string{"ldap://b"}}).connection("").Servers(); len(err) == 0 {
		t.Error("url and urls were taken together")
	}
}

func TestCAFileMustHoldACertificate(t *testing.T) {
	for name, file := range map[string]string{"missing": t.TempDir() + "/none.pem", "no certificate": "internal_test.go"} {
		c := Kind().New().(*Config)
		c.URL, c.BindDN, c.BaseDN, c.Password, c.TLSCA = "ldaps://localhost", "cn=a", "dc=b", schemas.NewSecret("x"), file
		_, err := c.Open(connectors.Env{})
		if mistake, ok := errors.AsType[*connectors.ConfigError](err); !ok || mistake.Key != "tls_ca" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a sender calls an account, the filter stays the one that was meant, with the name as its value.
func FuzzNamesStayValues(f *testing.F) {
	for _, seed := range []string{"jdoe", "*", "a)(b=*", `\`, `\2a`, "\x00", "ž", "\xff", "(", "&|!~<>="} {
		f.Add(seed)
	}
	d := &directory{config: *Kind().New().(*Config)}
	d.config.BaseDN = "dc=example"
	f.Fuzz(func(t *testing.T, name string) {
		_, _, filter, failure := d.target(schemas.Account{Type: schemas.AccountUserName, Value: name})
		if failure != nil {
			t.Fatal(failure)
		}
		packet, err := ldap.CompileFilter(filter)
		if err != nil {
			t.Fatalf("%q: %v", filter, err)
		}
		if len(packet.Children) != 2 || packet.Tag != ldap.FilterAnd {
			t.Fatalf("%q is not the one filter with the other", filter)
		}
		match := packet.Children[1]
		if match.Tag != ldap.FilterEqualityMatch || match.Children[0].Data.String() != "uid" || match.Children[1].Data.String() != name {
			t.Errorf("%q became %q", name, filter)
		}
	})
}
