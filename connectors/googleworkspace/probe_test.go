package googleworkspace_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

func probe(t *testing.T, c connectors.Connector) schemas.Capabilities {
	t.Helper()
	got, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mentions tells whether one of the texts says the word.
func mentions(texts []string, word string) bool {
	return slices.ContainsFunc(texts, func(one string) bool { return strings.Contains(one, word) })
}

func TestProbeNamesEveryPrivilegeThatIsMissing(t *testing.T) {
	t.Parallel()
	for privilege, console := range map[string]string{
		"USERS_RESET_PASSWORD": "Users > Update > Reset password", "USERS_FORCE_PASSWORD_CHANGE": "Users > Update > Force password change",
		"USER_SECURITY_ALL": "Security > User security management",
	} {
		g, c := plain(t)
		g.roles["11"] = role{privileges: withoutOne(g.roles["11"].privileges, privilege)}
		got := probe(t, c)
		if len(got.Missing) != 1 || !mentions(got.Missing, console) || !mentions(got.Missing, "resetd@example.com") {
			t.Errorf("without %s: %q, want %q alone", privilege, got.Missing, console)
		}
	}
	g, c := plain(t)
	g.roles["11"] = role{}
	if got := probe(t, c); len(got.Missing) < 4 || !mentions(got.Missing, "Users > Read") {
		t.Errorf("without any privilege: %q", got.Missing)
	}
}

func TestProbeKnowsThatOnePrivilegeIncludesOthersAndWarnsOfWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	if got := probe(t, c); len(got.Missing) > 0 || mentions(got.Warn, "never uses") || mentions(got.Warn, "super administrator") {
		t.Errorf("with just what it takes: missing %q, warnings %q", got.Missing, got.Warn)
	}
	g.roles["11"] = role{privileges: []string{"USERS_ALL", "USER_SECURITY_ALL"}}
	got := probe(t, c)
	if len(got.Missing) > 0 || !mentions(got.Warn, "Users > Delete") {
		t.Errorf("with USERS_ALL: missing %q, warnings %q", got.Missing, got.Warn)
	}
}

func TestProbeWarnsOfASuperAdministrator(t *testing.T) {
	t.Parallel()
	_, c := plain(t, as("root@example.com"))
	if got := probe(t, c); !mentions(got.Warn, "super administrator") || len(got.Missing) > 0 {
		t.Errorf("missing %q, warnings %q", got.Missing, got.Warn)
	}
	g, c := plain(t, as(""))
	g.assignments = append(g.assignments, roleAssignment{"13", serviceID})
	if got := probe(t, c); !mentions(got.Warn, "super administrator") {
		t.Errorf("a service account with that role: warnings %q", got.Warn)
	}
}

// The role may be given to the service account itself, and then nothing is delegated.
func TestServiceAccountWithARoleOfItsOwn(t *testing.T) {
	t.Parallel()
	g, c := plain(t, as(""))
	if got := probe(t, c); !mentions(got.Missing, "USERS_RESET_PASSWORD") || !mentions(got.Missing, serviceEmail) {
		t.Errorf("without a role, where others have some: missing %q", got.Missing)
	}
	g.assignments = append(g.assignments, roleAssignment{"11", serviceID})
	if got := probe(t, c); len(got.Missing) > 0 || mentions(got.Warn, "super administrator") {
		t.Errorf("with the role: missing %q, warnings %q", got.Missing, got.Warn)
	}
	if _, err := c.Reset(t.Context(), idOf(g.add("jdoe@example.com")), schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
}

// Reading roles is not everybody's right, and not needed for a reset.
func TestProbeSaysSoWhenRolesCannotBeRead(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	g.hidesRoles = true
	if got := probe(t, c); len(got.Missing) > 0 || !mentions(got.Warn, "cannot be read") {
		t.Errorf("missing %q, warnings %q", got.Missing, got.Warn)
	}
}

func TestProbeNamesAnAPIThatIsNotEnabled(t *testing.T) {
	t.Parallel()
	_, c := refusing(t, "GET", &problem{status: 403, reason: "accessNotConfigured", message: "Access Not Configured"})
	if got := probe(t, c); !mentions(got.Missing, "admin.googleapis.com") || !mentions(got.Missing, "project-1") {
		t.Errorf("missing %q", got.Missing)
	}
}

func TestProbeWarnsWhereNothingCanBeResetOrProved(t *testing.T) {
	t.Parallel()
	g, c := plain(t, func(c *googleworkspace.Config) { c.ThirdPartyIDP = "always" })
	g.roles["11"] = role{privileges: []string{"USERS_RETRIEVE", "USER_SECURITY_ALL"}} // all that it takes there
	if got := probe(t, c); len(got.Missing) > 0 || !mentions(got.Warn, "another identity provider") || !mentions(got.Warn, "proof_attribute") {
		t.Errorf("missing %q, warnings %q", got.Missing, got.Warn)
	}
}

func TestProbeWarnsWhereTheProofAttributeMayNotBeWritten(t *testing.T) {
	t.Parallel()
	g, c := plain(t, marked)
	if got := probe(t, c); mentions(got.Warn, "proof_attribute") {
		t.Errorf("with the privilege: warnings %q", got.Warn)
	}
	g.roles["11"] = role{privileges: withoutOne(g.roles["11"].privileges, customPrivilege)}
	if got := probe(t, c); !mentions(got.Warn, "proof_attribute") {
		t.Errorf("without it: warnings %q", got.Warn)
	}
	_, err := c.Reset(t.Context(), idOf(g.add("jdoe@example.com")), schemas.ModeRandomize)
	wantWords(t, wantCode(t, err, schemas.CodePermissionMissing), "proof_attribute")
}

func TestProbeTellsAnotherSubjectThanThereIs(t *testing.T) {
	t.Parallel()
	_, c := plain(t, as("nobody@example.com"))
	_, err := c.Probe(t.Context())
	wantWords(t, wantCode(t, err, schemas.CodeBadCredentials), "nobody@example.com", "subject")
}

func TestProbeShowsTLSAndClockAndLimit(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	s := httptest.NewUnstartedServer(g)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(certificate(s)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := probe(t, open(t, configOf(s.URL, func(c *googleworkspace.Config) { c.TLSCA = ca })))
	if got.TLS == nil || got.TLS.Version == "" || got.TLS.Until.IsZero() || time.Since(got.Clock).Abs() > time.Minute || got.Limit == "" {
		t.Errorf("TLS %+v, clock %s, limit %q", got.TLS, got.Clock, got.Limit)
	}
	_, err := open(t, configOf(s.URL)).Probe(t.Context())
	wantWords(t, wantCode(t, err, schemas.CodeUnavailable), "certificate")
}
