package ldap389_test

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestProbeNamesTheRuleThatIsMissing(t *testing.T) {
	s := testserver.DS389(t)
	for name, one := range map[string]struct{ dn, password, probe, want string }{
		"reader":                 {s.ReaderDN, s.ReaderPassword, s.Person(testserver.JDoe).DN, `targetattr="userPassword || passwordExpirationTime"`},
		"helper, half the right": {s.HelperDN, s.HelperPassword, s.Person(testserver.JDoe).DN, `userdn="ldap:///` + s.HelperDN + `"`},
		"service, out of reach":  {s.ServiceDN, s.ServicePassword, s.Person(testserver.Vera).DN, "add to " + s.VIPDN + " the value aci:"},
	} {
		t.Run(name, func(t *testing.T) {
			config := configOf(s)
			config.BindDN, config.Password, config.ProbeDN = one.dn, schemas.NewSecret(one.password), one.probe
			c := open(t, config)
			got, err := c.Probe(t.Context())
			if err != nil || !has(got.Missing, one.want) {
				t.Fatalf("missing %q, %v; want one with %s", got.Missing, err, one.want)
			}
			for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
				before := fingerprint(t, s)
				_, err := c.Reset(t.Context(), identityOf(t, s, one.probe), mode)
				if detail := wantCode(t, err, schemas.CodePermissionMissing); !strings.Contains(detail, "value aci:") {
					t.Errorf("%s: no rule in %q", mode, detail)
				}
				if fingerprint(t, s) != before {
					t.Errorf("%s: something was changed", mode)
				}
			}
		})
	}
}

// What the probe tells to add must be what is missing.
func TestRuleThatTheProbeNamesIsEnough(t *testing.T) {
	s := testserver.DS389(t)
	config := configOf(s)
	config.ProbeDN = s.Person(testserver.Vera).DN
	c := open(t, config)
	got, err := c.Probe(t.Context())
	if err != nil || len(got.Missing) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	_, rule, _ := strings.Cut(got.Missing[0], "add to "+s.VIPDN+" the value aci: ")
	rule, _, _ = strings.Cut(rule, " (only if")
	change(t, s, s.VIPDN, "aci", rule)
	if got, err = c.Probe(t.Context()); err != nil || len(got.Missing) > 0 {
		t.Errorf("the rule %s was added, and still missing: %q, %v", rule, got.Missing, err)
	}
	if _, err := c.Reset(t.Context(), identityOf(t, s, config.ProbeDN), schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
}

func TestProbeWarnsOfTooMuchAndOfWhatIsOff(t *testing.T) {
	s := testserver.DS389(t, testserver.WithoutMustChange(), testserver.WithoutUpdateTime())
	config := configOf(s)
	config.BindDN, config.Password = s.RootDN, schemas.NewSecret(s.RootPassword)
	got, err := open(t, config).Probe(t.Context())
	if err != nil || len(got.Missing) > 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if !has(got.Warn, "Directory Manager") || !has(got.Warn, "password hashes") {
		t.Errorf("no warning of the Directory Manager: %q", got.Warn)
	}
	if !has(got.Unenforced, "passwordMustChange") || !has(got.Warn, "passwordTrackUpdateTime") {
		t.Errorf("unenforced %q, warnings %q", got.Unenforced, got.Warn)
	}
	if !strings.Contains(got.Product, "389") || got.Clock.IsZero() || got.TLS == nil {
		t.Errorf("%+v", got)
	}
}

func TestProbeSaysThatThePolicyIsHidden(t *testing.T) {
	s := testserver.DS389(t, testserver.WithHiddenPolicy())
	got, err := open(t, configOf(s)).Probe(t.Context())
	if err != nil || len(got.Missing) > 0 || !has(got.Warn, "add to cn=config the value aci:") {
		t.Errorf("%+v, %v", got, err)
	}
}
