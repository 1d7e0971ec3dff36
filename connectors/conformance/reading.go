package conformance

import (
	"slices"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// want fails the test unless an error has the code.
func want(t *testing.T, what string, err error, codes ...schemas.Code) {
	t.Helper()
	if got := schemas.CodeOf(err); !slices.Contains(codes, got) {
		t.Errorf("%s: code %s (%v), want one of %v", what, got, err, codes)
	}
}

// must fails the test at once for an error.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// resolve: exactly one, or not found, or ambiguous.
func (s *suite) resolve(t *testing.T) {
	c := s.open(t)
	t.Run("one", func(t *testing.T) {
		for _, p := range append([]Person{s.Fresh(t), s.Fresh(t)}, s.Tricky...) {
			id, err := c.Resolve(t.Context(), p.Account)
			if err != nil || id.ID != p.ID {
				t.Errorf("%s %q: found %q (%v), want %q", p.Account.Type, p.Account.Value, id.ID, err, p.ID)
			}
			if id.Name == "" {
				t.Errorf("%s %q: found without a name for people", p.Account.Type, p.Account.Value)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		for _, a := range s.Missing {
			_, err := c.Resolve(t.Context(), a)
			want(t, string(a.Type)+" "+a.Value, err, schemas.CodeAccountNotFound)
		}
	})
	t.Run("none for a name that is an expression", func(t *testing.T) {
		for _, a := range s.Hostile {
			_, err := c.Resolve(t.Context(), a)
			want(t, string(a.Type)+" "+a.Value, err, schemas.CodeAccountNotFound)
		}
	})
	t.Run("more than one", func(t *testing.T) {
		for _, a := range s.Ambiguous {
			_, err := c.Resolve(t.Context(), a)
			want(t, string(a.Type)+" "+a.Value, err, schemas.CodeAccountAmbiguous)
		}
	})
}

// classify: an ordinary account is told for what it is, and reading it changes nothing.
func (s *suite) classify(t *testing.T) {
	c := s.open(t)
	id := s.identity(t, s.Fresh(t))
	first, err := c.Classify(t.Context(), id)
	must(t, "Classify", err)
	if first.Origin != schemas.OriginNative || !first.Enabled || first.Why == "" {
		t.Errorf("an ordinary account is %+v; it must be native, enabled and say why", first)
	}
	if first.Evidence.MustChange {
		t.Error("an untouched account must change its password")
	}
	second, err := s.open(t).Classify(t.Context(), id)
	must(t, "Classify, the second time", err)
	if !first.Evidence.Same(second.Evidence) {
		t.Errorf("nothing was changed, but the evidence was %+v and is %+v", first.Evidence, second.Evidence)
	}
	_, err = c.Classify(t.Context(), schemas.Identity{ID: "00000000-0000-4000-8000-000000000000", Name: id.Name})
	want(t, "an id that nobody has, beside somebody's name", err, schemas.CodeAccountNotFound)
}

// identity is what Resolve gives, made by hand: every call must act on the id and never on the name.
func (s *suite) identity(t *testing.T, p Person) schemas.Identity {
	t.Helper()
	if p.ID == "" {
		t.Fatal("the harness gave a person without an id")
	}
	return schemas.Identity{ID: p.ID, Name: "a name that nobody has"}
}

// probe: everything is there on the healthy system, and asking for it leaves no trace.
func (s *suite) probe(t *testing.T) {
	c := s.open(t)
	p := s.Fresh(t)
	before, err := c.Classify(t.Context(), s.identity(t, p))
	must(t, "Classify", err)
	mark := s.mark(t)
	got, err := c.Probe(t.Context())
	must(t, "Probe", err)
	if len(got.Missing) > 0 {
		t.Errorf("rights are missing on the healthy system: %q", got.Missing)
	}
	if got.Product == "" {
		t.Error("the product has no name")
	}
	if got.Revoke != s.Revokes {
		t.Errorf("the probe says that sessions can be ended: %t, want %t", got.Revoke, s.Revokes)
	}
	if !slices.Equal(slices.Sorted(slices.Values(got.Modes)), slices.Sorted(slices.Values(s.Modes))) {
		t.Errorf("the probe lists the modes %v, want %v", got.Modes, s.Modes)
	}
	if after := s.mark(t); after != mark {
		t.Error("the probe changed something")
	}
	after, err := c.Classify(t.Context(), s.identity(t, p))
	must(t, "Classify after the probe", err)
	if !after.Evidence.Same(before.Evidence) || s.Login(t, p, p.Password) != LoginAccepted {
		t.Error("the probe changed an account")
	}
}

// mark sums up the system's content where that can be seen.
func (s *suite) mark(t *testing.T) string {
	if s.Fingerprint == nil {
		return ""
	}
	return s.Fingerprint(t)
}
