package openldap_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// The server announces policies and stores pwdReset, and default_policy is right, but the overlay is on another database.
func TestOverlayOnAnotherDatabaseEndsAsUnenforced(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithIdlePpolicy())
	c := open(t, configOf(s))
	older := s.Person(testserver.Alice) // has a time from when the overlay was here
	backdate(t, s, older.DN)
	for name, who := range map[string]testserver.Person{"fresh": s.Person(testserver.JDoe), "with an old pwdChangedTime": older} {
		id := identityOf(t, s, who.DN)
		before := evidence(t, c, id)
		_, err := c.Reset(t.Context(), id, schemas.ModeExpire)
		if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, "olcOverlay=ppolicy") {
			t.Errorf("%s: the detail does not say what to do: %s", name, detail)
		}
		if got := evidence(t, c, id); !got.Same(before) {
			t.Errorf("%s: expire changed %+v to %+v", name, before, got)
		}
		_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
		wantCode(t, err, schemas.CodeUnenforced)
		if got := login(t, s, who.DN, who.Password); got != "refused" {
			t.Errorf("%s: randomize must put out the thief all the same: the old password is %s", name, got)
		}
		if flag, err := s.Values(who.DN, "pwdReset"); err != nil || len(flag) != 1 || flag[0] != "TRUE" {
			t.Errorf("%s: pwdReset is %v, %v: the test proves nothing", name, flag, err)
		}
		if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced {
			t.Errorf("%s: Verify: %+v, %v", name, proof, err)
		}
	}
	got, err := c.Probe(t.Context())
	if err != nil || len(got.Unenforced) != 1 || !strings.Contains(got.Unenforced[0], "olcOverlay=ppolicy") {
		t.Errorf("Probe: %+v, %v", got, err)
	}
}

// What asks for the overlay must leave no trace on the account, whoever asks.
func TestAskingForTheOverlayChangesNothing(t *testing.T) {
	for name, s := range map[string]*testserver.SlapdServer{"acts": testserver.Slapd(t), "idle": testserver.Slapd(t, testserver.WithIdlePpolicy())} {
		jdoe := s.Person(testserver.JDoe)
		id := identityOf(t, s, jdoe.DN)
		for _, bind := range [][2]string{{s.ServiceDN, s.ServicePassword}, {s.ReaderDN, s.ReaderPassword}, {s.RootDN, s.RootPassword}} {
			config := configOf(s)
			config.BindDN, config.Password, config.ProbeDN = bind[0], schemas.NewSecret(bind[1]), jdoe.DN
			c := open(t, config)
			before := evidence(t, c, id)
			got, err := c.Probe(t.Context())
			if told := strings.Contains(strings.Join(got.Unenforced, "\n"), "olcOverlay=ppolicy"); err != nil || told != (name == "idle") {
				t.Errorf("%s, as %s: %+v, %v", name, bind[0], got, err)
			}
			if _, err := c.Verify(t.Context(), id, before); err != nil {
				t.Errorf("%s, as %s: %v", name, bind[0], err)
			}
			if after := evidence(t, c, id); !after.Same(before) {
				t.Errorf("%s, as %s: %+v became %+v", name, bind[0], before, after)
			}
		}
		if got := login(t, s, jdoe.DN, jdoe.Password); got != "accepted" {
			t.Errorf("%s: the password is %s", name, got)
		}
	}
}

func TestProbeTellsOfTheOverlayAndOfRightsTogether(t *testing.T) {
	for name, option := range map[string]testserver.SlapdOption{"not loaded": testserver.WithoutPpolicy(), "idle": testserver.WithIdlePpolicy()} {
		s := testserver.Slapd(t, option)
		config := configOf(s)
		config.BindDN, config.Password = s.ReaderDN, schemas.NewSecret(s.ReaderPassword)
		got, err := open(t, config).Probe(t.Context())
		all := strings.Join(append(got.Missing, got.Unenforced...), "\n")
		if err != nil || !strings.Contains(all, "ppolicy") || !strings.Contains(all, "attrs=userPassword") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestProbeCountsALaxDefaultPolicyAsUnenforced(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.DefaultPolicy = s.LaxPolicyDN
	got, err := open(t, config).Probe(t.Context())
	if err != nil || len(got.Unenforced) != 1 || !strings.Contains(got.Unenforced[0], "pwdMustChange TRUE") {
		t.Errorf("Probe: %+v, %v", got, err)
	}
}

func TestSuggestedRuleReachesNoFurtherThanTheEntrysParent(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	vera := s.Person(testserver.Vera)
	config.ProbeDN = vera.DN
	c := open(t, config)
	got, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, refused := c.Reset(t.Context(), identityOf(t, s, vera.DN), schemas.ModeRandomize)
	for _, text := range append(got.Missing, wantCode(t, refused, schemas.CodePermissionMissing)) {
		if !strings.Contains(text, `dn.subtree="`+s.VIPDN+`"`) || !strings.Contains(text, "only if resetd is meant to act there") || strings.Contains(text, "{0}") {
			t.Errorf("%s", text)
		}
	}
}

// backdate gives an account a pwdChangedTime of last year. The attribute is the server's own, so it takes the control that
// relaxes the rules, and the rootdn.
func backdate(t *testing.T, s *testserver.SlapdServer, dn string) {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const relax = "1.3.6.1.4.1.4203.666.5.12"
	r := ldap.NewModifyRequest(dn, []ldap.Control{ldap.NewControlString(relax, true, "")})
	r.Replace("pwdChangedTime", []string{"20250101000000Z"})
	if err := conn.Modify(r); err != nil {
		t.Fatal(err)
	}
}
