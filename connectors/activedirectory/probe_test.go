package activedirectory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/activedirectory"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/schemas"
)

func TestProbeTellsTheConnectionTheClockAndTheProduct(t *testing.T) {
	s := domain(t)
	got, err := open(t, configOf(s)).Probe(t.Context())
	if err != nil || len(got.Missing) > 0 || len(got.Unenforced) > 0 || len(got.Warn) > 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.TLS == nil || !strings.HasPrefix(got.TLS.Version, "TLS 1.") || got.TLS.Until.Before(time.Now()) {
		t.Errorf("TLS: %+v", got.TLS)
	}
	if d := time.Since(got.Clock); d < -time.Minute || d > time.Minute {
		t.Errorf("the clock is %s away", d)
	}
	if !strings.HasPrefix(got.Product, "Samba Active Directory") {
		t.Errorf("the product is %q", got.Product)
	}
}

func TestProbeNamesEachRightThatIsMissing(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	grant := func(dn, right string) {
		t.Helper()
		if err := s.Grant(t.Context(), dn, right, s.ReaderName); err != nil {
			t.Fatal(err)
		}
	}
	reset, write := s.Person(next(t).Account.Value).DN, s.Person(next(t).Account.Value).DN
	grant(reset, "(OA;;CR;00299570-246d-11d0-a768-00aa006e0529;;%s)")
	grant(write, "(OA;;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;;%s)")
	denied := s.Person(next(t).Account.Value).DN
	grant(denied, "(OA;;CR;00299570-246d-11d0-a768-00aa006e0529;;%[1]s)(OA;;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;;%[1]s)(OD;;CR;00299570-246d-11d0-a768-00aa006e0529;;%[1]s)")
	for dn, words := range map[string]string{
		reset: "lacks Write pwdLastSet", write: "lacks Reset Password", denied: "lacks Reset Password", s.Person("vera").DN: "lacks Reset Password and Write pwdLastSet",
		"CN=nobody," + s.PeopleDN: "no account can be seen",
	} {
		config := configOf(s)
		config.BindUser, config.Password, config.ProbeDN = s.ReaderName, schemas.NewSecret(s.ReaderPassword), dn
		got, err := open(t, config).Probe(t.Context())
		if err != nil || !has(got.Missing, words) {
			t.Errorf("%s: %q, %v; want %q", dn, got.Missing, err, words)
		}
	}
	// What the probe says is what happens.
	config := configOf(s)
	config.BindUser, config.Password = s.ReaderName, schemas.NewSecret(s.ReaderPassword)
	for _, dn := range []string{reset, write, denied} {
		_, err := open(t, config).Reset(t.Context(), identityOf(t, s, dn), schemas.ModeRandomize)
		wantCode(t, err, schemas.CodePermissionMissing)
	}
}

func TestProbeWarnsOfAnAccountThatRulesTheDomain(t *testing.T) {
	s := domain(t)
	config := configOf(s)
	config.BindUser, config.Password = s.AdminName, schemas.NewSecret(s.AdminPassword)
	got, err := open(t, config).Probe(t.Context())
	if err != nil || !has(got.Warn, "Domain Admins") || len(got.Missing) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestProbeFindsAnAccountThatMayBeResetBehindOthersThatMayNot(t *testing.T) {
	s := domain(t)
	config := configOf(s)
	config.BaseDN = s.VIPDN
	got, err := open(t, config).Probe(t.Context())
	if err != nil || len(got.Missing) != 1 || !has(got.Missing, "samba-tool dsacl set") || !has(got.Missing, "probe_dn") {
		t.Errorf("where nobody may be reset: %q, %v", got.Missing, err)
	}
}

func TestResetdsOwnAccountIsKnownByEveryFormOfItsName(t *testing.T) {
	s := domain(t)
	for _, name := range []string{s.ServiceName, `RESETD\resetd`, s.ServiceDN, strings.ToUpper(s.ServiceName)} {
		config := configOf(s)
		config.BindUser = name
		c := open(t, config)
		class, err := c.Classify(t.Context(), identityOf(t, s, s.ServiceDN))
		if err != nil || class.Origin != schemas.OriginService || !strings.Contains(class.Why, "resetd itself") {
			t.Errorf("%s: %+v, %v", name, class, err)
		}
	}
}

func TestRefusedLogInSaysWhy(t *testing.T) {
	s := domain(t)
	for words, one := range map[string][2]string{
		"the name or the password is wrong": {s.ServiceName, "wrong"},
		"the account is disabled":           {"disabled@resetd.test", s.Person("disabled").Password},
	} {
		config := configOf(s)
		config.BindUser, config.Password = one[0], schemas.NewSecret(one[1])
		_, err := open(t, config).Probe(t.Context())
		if detail := wantCode(t, err, schemas.CodeBadCredentials); !strings.Contains(detail, words) || !strings.Contains(detail, "corp-ad") {
			t.Errorf("%s: %s", words, detail)
		}
	}
}

func TestConnectionsAreEncryptedAndTheServerIsTheRightOne(t *testing.T) {
	s := domain(t)
	stranger, _ := ldaptest.Authority(t, "127.0.0.1")
	for name, one := range map[string]struct {
		change func(*activedirectory.Config)
		want   schemas.Code
	}{
		"LDAPS":                           {func(*activedirectory.Config) {}, schemas.CodeOK},
		"StartTLS":                        {func(c *activedirectory.Config) { c.URL = s.URL }, schemas.CodeOK},
		"another authority":               {func(c *activedirectory.Config) { c.TLSCA = stranger }, schemas.CodeUnavailable},
		"StartTLS with another authority": {func(c *activedirectory.Config) { c.URL, c.TLSCA = s.URL, stranger }, schemas.CodeUnavailable},
		"the machine's own authorities":   {func(c *activedirectory.Config) { c.TLSCA = "" }, schemas.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			config := configOf(s)
			one.change(config)
			got, err := open(t, config).Probe(t.Context())
			wantCode(t, err, one.want)
			if err == nil && got.TLS == nil {
				t.Error("the connection is not encrypted")
			}
		})
	}
}
