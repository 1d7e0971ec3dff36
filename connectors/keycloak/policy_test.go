package keycloak_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

const cheap = "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)"

func TestAPasswordThatThePolicyRejectsIsFollowedByAFittingOne(t *testing.T) {
	s := ownSite(t)
	for policy, most := range map[string]int{
		"length(48)": 2, "maxLength(20)": 2, "length(16)": 1, "specialChars(9)": 3, "digits(4) and upperCase(4) and lowerCase(4) and specialChars(1)": 3,
		"passwordHistory(5)": 1, "notUsername(undefined) and notEmail(undefined)": 1,
	} {
		s.Set(map[string]any{"passwordPolicy": cheap + " and length(8)"})
		p := s.person("p"+strings.ToLower(strings.NewReplacer("(", "-", ")", "", " ", "").Replace(policy)), nil)
		s.Set(map[string]any{"passwordPolicy": cheap + " and " + policy})
		through := newProxy(t, s.Server)
		if _, err := open(t, s.at(through.URL)).Reset(t.Context(), identity(p.ID), schemas.ModeRandomize); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
		if n := len(through.seen()); n > most {
			t.Errorf("%s: %d passwords were sent, want %d at most", policy, n, most)
		}
	}
}

func TestAPolicyThatNoPasswordMeetsIsNamedAfterThreeTries(t *testing.T) {
	s := ownSite(t)
	p := s.somebody()
	c := open(t, s.config())
	before := classify(t, c, p.ID).Evidence
	for policy, word := range map[string]string{"regexPattern([a-z]+)": "regular expression", "length(300)": "least length", "maxLength(10)": "greatest length"} {
		s.Set(map[string]any{"passwordPolicy": cheap + " and " + policy})
		through := newProxy(t, s.Server)
		_, err := open(t, s.at(through.URL)).Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
		if detail := wantCode(t, err, schemas.CodePasswordRejected); !strings.Contains(detail, word) {
			t.Errorf("%s: the detail does not say what rejects: %s", policy, detail)
		}
		if n := len(through.seen()); n != 3 {
			t.Errorf("%s: %d passwords were sent", policy, n)
		}
	}
	if !classify(t, c, p.ID).Evidence.Same(before) {
		t.Error("the account was changed")
	}
	viewer := newLesserClient(t, s, "view-users", "manage-users", "view-realm")
	for _, policy := range []string{"length(300)", "maxLength(10)"} {
		s.Set(map[string]any{"passwordPolicy": cheap + " and " + policy})
		if got := probe(t, viewer); !mentions(got.Unenforced, "password policy") {
			t.Errorf("%s: the probe finds nothing wrong: %+v", policy, got)
		}
	}
}

func TestRecoveryIsNotOfferedInWords(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	_, err := open(t, s.config()).Reset(t.Context(), identity(p.ID), schemas.ModeRecovery)
	if detail := wantCode(t, err, schemas.CodeUnsupported); !strings.Contains(detail, "mailbox") {
		t.Error(detail)
	}
}

// A password that cannot be delivered must not be set.
func TestAPasswordIsSealedBeforeItIsSent(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	through := newProxy(t, s.Server)
	sealing := func(password schemas.Secret) (string, error) { return "sealed:" + password.Reveal(), nil }
	c := unclosed(t, s.at(through.URL), connectors.Env{System: "corp-login", Seal: sealing})
	t.Cleanup(func() { _ = c.Close() })
	got, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
	if made := through.seen(); err != nil || len(made) != 1 || got.Sealed != "sealed:"+made[0] {
		t.Errorf("%v; the sealed password is not the one that was sent last", err)
	}
	broken := unclosed(t, s.at(through.URL), connectors.Env{System: "corp-login", Seal: func(schemas.Secret) (string, error) { return "", errors.New("no key") }})
	t.Cleanup(func() { _ = broken.Close() })
	_, err = broken.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnexpected)
	if n := len(through.seen()); n != 1 {
		t.Errorf("%d passwords were sent", n)
	}
}

// Keycloak takes no condition with a change, so what was read back decides, and an error there leaves the effect unknown.
func TestAChangeThatCannotBeReadBackIsNoSuccess(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	through := newProxy(t, s.Server)
	var changed atomic.Bool
	through.before = func(w http.ResponseWriter, r *http.Request) bool {
		if isChange(r) {
			changed.Store(true)
		}
		if changed.Load() && r.Method == http.MethodGet {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	_, err := open(t, s.at(through.URL)).Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeTimedOut)
	// One that is swallowed on the way is not reported as done.
	swallow := newProxy(t, s.Server)
	swallow.before = func(w http.ResponseWriter, r *http.Request) bool {
		if isChange(r) {
			w.WriteHeader(http.StatusNoContent)
			return true
		}
		return false
	}
	other := s.somebody()
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err = open(t, s.at(swallow.URL)).Reset(t.Context(), identity(other.ID), mode)
		wantCode(t, err, schemas.CodeUnenforced)
	}
}
