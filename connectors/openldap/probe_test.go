package openldap_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestProbeNamesWhatToGrant(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.BindDN, config.Password = s.ReaderDN, schemas.NewSecret(s.ReaderPassword)
	got, err := open(t, config).Probe(t.Context())
	if err != nil || len(got.Missing) == 0 {
		t.Fatalf("Probe: %+v, %v", got, err)
	}
	all := strings.Join(got.Missing, "\n")
	for _, part := range []string{"attrs=userPassword by", "attrs=pwdReset by", "olcAccess", s.ReaderDN, "=w", "write"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q does not name %s", all, part)
		}
	}
}

func TestProbeFindsOneAccountWithinReach(t *testing.T) {
	s := testserver.Slapd(t)
	for name, one := range map[string]struct {
		dn      string
		missing bool
	}{
		"an account that may be reset":     {s.Person(testserver.JDoe).DN, false},
		"an account that may not be reset": {s.Person(testserver.Vera).DN, true},
		"an account that is not there":     {"uid=ghost," + s.PeopleDN, true},
	} {
		t.Run(name, func(t *testing.T) {
			config := configOf(s)
			config.ProbeDN = one.dn
			got, err := open(t, config).Probe(t.Context())
			if err != nil || (len(got.Missing) > 0) != one.missing {
				t.Errorf("Probe: %+v, %v", got, err)
			}
		})
	}
}

func TestProbeWarnsOfAnAccountThatNoPolicyBinds(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.BindDN, config.Password = s.RootDN, schemas.NewSecret(s.RootPassword)
	for _, want := range []bool{true, false} {
		got, err := open(t, config).Probe(t.Context())
		if err != nil || warns(got, "rootdn") != want {
			t.Errorf("%s: %+v, %v", config.BindDN, got, err)
		}
		config.BindDN, config.Password = s.ServiceDN, schemas.NewSecret(s.ServicePassword)
	}
}

// The request that tries the right on pwdReset must not clear the flag where it is set.
func TestProbeLeavesAFlagThatIsSet(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	for _, flag := range []string{"TRUE", "FALSE"} {
		change(t, s, jdoe.DN, "pwdReset", flag)
		config := configOf(s)
		config.ProbeDN = jdoe.DN
		for _, bind := range [][2]string{{s.ServiceDN, s.ServicePassword}, {s.RootDN, s.RootPassword}} {
			config.BindDN, config.Password = bind[0], schemas.NewSecret(bind[1])
			if _, err := open(t, config).Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Values(jdoe.DN, "pwdReset"); err != nil || len(got) != 1 || got[0] != flag {
				t.Errorf("%s: pwdReset was %s and is %v, %v", bind[0], flag, got, err)
			}
		}
	}
}

func TestProbeTellsWhetherPasswordHashesCanBeRead(t *testing.T) {
	s := testserver.Slapd(t)
	for _, bind := range [][2]string{{s.ServiceDN, s.ServicePassword}, {s.RootDN, s.RootPassword}} {
		conn, err := s.Connect(bind[0], bind[1])
		if err != nil {
			t.Fatal(err)
		}
		seen, err := conn.Search(ldap.NewSearchRequest(s.Person(testserver.JDoe).DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, true,
			"(objectClass=*)", []string{"userPassword"}, nil))
		_ = conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		config := configOf(s)
		config.BindDN, config.Password = bind[0], schemas.NewSecret(bind[1])
		got, err := open(t, config).Probe(t.Context())
		if want := len(seen.Entries[0].Attributes) > 0; err != nil || warns(got, "password hashes") != want {
			t.Errorf("%s can read hashes: %t, but the probe says %+v, %v", bind[0], want, got, err)
		}
	}
}
