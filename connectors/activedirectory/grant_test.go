package activedirectory_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors/activedirectory"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

var sambaGrant = regexp.MustCompile(`samba-tool dsacl set --objectdn="([^"]+)" --sddl="((?:\([^()]+\))+)"`)

// asReader gives settings with an account that may read and nothing else.
func asReader(s *testserver.SambaServer, probe string) *activedirectory.Config {
	config := configOf(s)
	config.BindUser, config.Password, config.ProbeDN = s.ReaderName, schemas.NewSecret(s.ReaderPassword), probe
	return config
}

// The command that the probe prints for Samba is carried out, on the account alone in place of the whole OU. (Grant would fill the SID in;
// here it is the printed one that counts.)
func TestGrantThatIsPrintedForSambaIsTheOneThatIsMissing(t *testing.T) {
	s := domain(t)
	person := s.Person(fresh(s)(t).Account.Value)
	got, err := open(t, asReader(s, person.DN)).Probe(t.Context())
	if err != nil || len(got.Missing) != 1 {
		t.Fatalf("%q, %v", got.Missing, err)
	}
	m := sambaGrant.FindStringSubmatch(got.Missing[0])
	if m == nil || strings.Contains(got.Missing[0], "dsacls") {
		t.Fatalf("no command of Samba's: %s", got.Missing[0])
	}
	if _, parent, _ := strings.Cut(person.DN, ","); !strings.EqualFold(m[1], parent) {
		t.Errorf("the right would be granted on %s", m[1])
	}
	if err := s.Grant(t.Context(), person.DN, strings.ReplaceAll(m[2], "CIIO", "")+"%.0s", s.ReaderName); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the other tests count on a reader that may reset nobody
		if err := s.Grant(context.Background(), person.DN, "(OD;;CR;00299570-246d-11d0-a768-00aa006e0529;;%s)", s.ReaderName); err != nil {
			t.Error(err)
		}
	})
	if got, err := open(t, asReader(s, person.DN)).Probe(t.Context()); err != nil || len(got.Missing) > 0 {
		t.Errorf("after the grant: %q, %v", got.Missing, err)
	}
}

// An account that resetd would refuse says nothing of those that it would reset.
func TestProbeLooksAtAccountsThatWouldBeReset(t *testing.T) {
	s := domain(t)
	dn := s.Person(testserver.SmartCard).DN
	if err := s.Grant(t.Context(), dn, "(OA;;CR;00299570-246d-11d0-a768-00aa006e0529;;%[1]s)(OA;;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;;%[1]s)", s.ReaderName); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, asReader(s, dn)).Probe(t.Context()); err != nil || len(got.Missing) > 0 {
		t.Fatalf("the account itself: %q, %v", got.Missing, err)
	}
	got, err := open(t, asReader(s, "")).Probe(t.Context())
	if err != nil || len(got.Missing) != 1 || !has(got.Missing, "probe_dn") || has(got.Missing, dn) {
		t.Errorf("%q, %v", got.Missing, err)
	}
}
