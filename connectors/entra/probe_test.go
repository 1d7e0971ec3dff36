package entra_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// probe asks, with an application that holds what it is given.
func probe(t *testing.T, permissions []string, roles map[string]string, change func(*app)) schemas.Capabilities {
	t.Helper()
	w := newWorld()
	w.add("somebody@example.com", nil)
	a := w.apps[appFull]
	a.permissions, a.roles = permissions, roles
	if change != nil {
		change(a)
	}
	f := newFront(t, w, nil)
	before := w.fingerprint()
	got, err := connect(t, f).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if w.fingerprint() != before || len(f.writes()) > 0 {
		t.Error("the probe changed something")
	}
	return got
}

func TestProbeNamesWhatIsMissingAndWhatIsTooMuch(t *testing.T) {
	opaque := func(a *app) { a.opaque = true }
	for name, one := range map[string]struct {
		permissions   []string
		roles         map[string]string
		change        func(*app)
		missing, warn string // nothing must be there if empty
	}{
		"least privilege":                            {leastPrivilege, nil, nil, "", ""},
		"the role in place of the permission":        {without(leastPrivilege, "User-PasswordProfile.ReadWrite.All"), map[string]string{rolePasswordAdmin: "/"}, nil, "", ""},
		"the role, limited to a unit":                {without(leastPrivilege, "User-PasswordProfile.ReadWrite.All"), map[string]string{rolePasswordAdmin: "/administrativeUnits/1"}, nil, "", ""},
		"no right to passwords":                      {without(leastPrivilege, "User-PasswordProfile.ReadWrite.All"), nil, nil, "User-PasswordProfile.ReadWrite.All", ""},
		"no right to sessions":                       {without(leastPrivilege, "User.RevokeSessions.All"), nil, nil, "User.RevokeSessions.All", ""},
		"no right to read":                           {without(leastPrivilege, "User.Read.All"), nil, nil, "User.Read.All", ""},
		"neither, and roles cannot be seen":          {without(leastPrivilege, "User-PasswordProfile.ReadWrite.All", "RoleManagement.Read.Directory"), nil, nil, "who is an administrator", ""},
		"administrators cannot be seen":              {without(leastPrivilege, "RoleManagement.Read.Directory"), nil, nil, "RoleManagement.Read.Directory", ""},
		"groups cannot be seen":                      {without(leastPrivilege, "GroupMember.Read.All"), nil, nil, "GroupMember.Read.All", ""},
		"domains cannot be seen":                     {without(leastPrivilege, "Domain.Read.All"), nil, nil, "", "Domain.Read.All"},
		"Global Administrator":                       {leastPrivilege, map[string]string{roleGlobalAdmin: "/"}, nil, "", "Global Administrator"},
		"User.ReadWrite.All":                         {append([]string{"User.ReadWrite.All"}, leastPrivilege...), nil, nil, "", "User.ReadWrite.All"},
		"Directory.ReadWrite.All":                    {append([]string{"Directory.ReadWrite.All"}, leastPrivilege...), nil, nil, "", "Directory.ReadWrite.All"},
		"RoleManagement.ReadWrite.Directory":         {append([]string{"RoleManagement.ReadWrite.Directory"}, leastPrivilege...), nil, nil, "", "RoleManagement.ReadWrite.Directory"},
		"User.ReadWrite.All alone sets no passwords": {[]string{"User.ReadWrite.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "Domain.Read.All"}, nil, nil, "User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All"},
		"a token that tells nothing":                 {leastPrivilege, nil, opaque, "", "cannot be seen"},
		"a token that tells nothing, but the lists":  {append([]string{"Application.Read.All"}, without(leastPrivilege, "User.RevokeSessions.All", "GroupMember.Read.All")...), nil, opaque, "User.RevokeSessions.All", ""},
		"a secret that ends soon":                    {append([]string{"Application.Read.All"}, leastPrivilege...), nil, func(a *app) { a.secretEnd = time.Now().Add(48 * time.Hour) }, "", "client secret of the application ends on"},
		"a secret that has ended":                    {append([]string{"Application.Read.All"}, leastPrivilege...), nil, func(a *app) { a.secretEnd = time.Now().Add(-48 * time.Hour) }, "", "has ended on"},
		"a secret that is good for long":             {append([]string{"Application.Read.All"}, leastPrivilege...), nil, func(a *app) { a.secretEnd = time.Now().AddDate(1, 0, 0) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := probe(t, one.permissions, one.roles, one.change)
			for what, pair := range map[string][2]string{"Missing": {strings.Join(got.Missing, "\n"), one.missing}, "Warn": {strings.Join(got.Warn, "\n"), one.warn}} {
				if !strings.Contains(pair[0], pair[1]) || pair[1] == "" && pair[0] != "" {
					t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestProbeTellsProtectionClockAndLimit(t *testing.T) {
	got := probe(t, leastPrivilege, nil, nil)
	if got.TLS == nil || got.TLS.Version != "TLS 1.3" || !got.TLS.Until.After(time.Now()) {
		t.Errorf("TLS is %+v", got.TLS)
	}
	if d := time.Since(got.Clock); d < -time.Minute || d > time.Minute {
		t.Errorf("the clock differs by %s", d)
	}
	if got.Limit == "" {
		t.Error("nothing is said of the limit")
	}
}

func TestProfileThatCannotBeReadIsWarnedOf(t *testing.T) {
	w := newWorld()
	p := w.add("somebody@example.com", nil)
	f := newFront(t, w, func(f *front) {
		f.inside = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Query().Get("$select"), "passwordProfile") {
				return false
			}
			denyRights(out)
			return true
		}
	})
	c := connect(t, f)
	got, err := c.Probe(t.Context())
	if err != nil || !strings.Contains(strings.Join(got.Warn, "\n"), "needs_review") {
		t.Errorf("got %+v, %v", got, err)
	}
	before := classOf(t, c, p).Evidence
	// Whether a change is demanded cannot be told before either, and must not be denied.
	if proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, before); err != nil || proof.State != schemas.ProofUnknown || proof.Changed {
		t.Errorf("before anything was done: %+v, %v", proof, err)
	}
	if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, before)
	if err != nil || proof.State != schemas.ProofUnknown || !proof.Changed || proof.Detail == "" {
		t.Errorf("what cannot be read proves %+v, %v", proof, err)
	}
}

// A right is written into a token when it is made.
func TestRightThatIsGrantedCountsWithTheNextToken(t *testing.T) {
	w := newWorld()
	w.apps[appFull].permissions = without(leastPrivilege, "User-PasswordProfile.ReadWrite.All")
	f := newFront(t, w, func(f *front) { f.tokenLife = 31 * time.Second }) // good for a second, as resetd counts
	c := connect(t, f)
	if got, err := c.Probe(t.Context()); err != nil || len(got.Missing) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	w.in(t, func() { w.apps[appFull].permissions = leastPrivilege })
	time.Sleep(1100 * time.Millisecond)
	if got, err := c.Probe(t.Context()); err != nil || len(got.Missing) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
