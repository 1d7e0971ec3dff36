package callback

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

func TestPostDeliversASignedMessageOverBothHTTPVersions(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, nil, func(s *httptest.Server) { s.EnableHTTP2 = two })
			o := lab(r.ca, r.URL+"/hooks/")
			p := mustNew(t, o)
			a, again := post(t, p, r.URL+"/hooks/resetd?tenant=7")
			wantDelivered(t, a)
			if again != 0 || a.At.IsZero() || a.Detail != "" {
				t.Errorf("attempt %+v, wait %s", a, again)
			}
			got := r.all()
			if len(got) != 1 {
				t.Fatalf("the receiver got %d requests", len(got))
			}
			req := got[0].request
			if req.Method != http.MethodPost || req.URL.RequestURI() != "/hooks/resetd?tenant=7" || req.Proto != name {
				t.Errorf("got %s %s %s", req.Method, req.URL.RequestURI(), req.Proto)
			}
			if !bytes.Equal(got[0].body, message) {
				t.Errorf("got body %q", got[0].body)
			}
			for header, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "resetd/1.2.3",
				"Accept-Encoding": "", signature.HeaderID: messageID} {
				if v := req.Header.Get(header); v != want {
					t.Errorf("%s: got %q, want %q", header, v, want)
				}
			}
			v, err := signature.NewVerifier(o.Sources[source].Keys, signature.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Verify(req.Header, got[0].body, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPostSignsWithEveryKeyDuringARotation(t *testing.T) {
	r := newReceiver(t, nil)
	private, public := signature.GenerateAsymmetric()
	before, after := signature.GenerateSymmetric(), signature.GenerateSymmetric()
	o := lab(r.ca)
	o.Sources[source] = Source{Keys: []signature.Key{before, after, private}, URL: r.URL}
	a, _ := post(t, mustNew(t, o), r.URL)
	wantDelivered(t, a)
	for name, key := range map[string]signature.Key{"old": before, "new": after, "ed25519": public} {
		v, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := r.all()[0]
		if _, err := v.Verify(got.request.Header, got.body, time.Now()); err != nil {
			t.Errorf("the receiver that knows the %s key alone: %v", name, err)
		}
	}
	stranger, _ := signature.NewVerifier([]signature.Key{signature.GenerateSymmetric()}, signature.Options{})
	if _, err := stranger.Verify(r.all()[0].request.Header, message, time.Now()); err == nil {
		t.Error("a receiver with another key accepted the message")
	}
}

func TestPostSignsEveryAttemptAnewUnderTheSameID(t *testing.T) {
	r := newReceiver(t, nil)
	clock := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	o := lab(r.ca, r.URL)
	o.Now = func() time.Time { return clock }
	p := mustNew(t, o)
	for range 2 {
		a, _ := post(t, p, r.URL)
		wantDelivered(t, a)
		if !a.At.Equal(clock) {
			t.Errorf("the attempt is dated %s", a.At)
		}
		clock = clock.Add(time.Hour)
	}
	one, two := r.all()[0].request.Header, r.all()[1].request.Header
	if one.Get(signature.HeaderID) != two.Get(signature.HeaderID) {
		t.Error("the id changed")
	}
	if one.Get(signature.HeaderTimestamp) != "1795330800" || two.Get(signature.HeaderTimestamp) != "1795334400" {
		t.Errorf("timestamps %s and %s", one.Get(signature.HeaderTimestamp), two.Get(signature.HeaderTimestamp))
	}
	if one.Get(signature.HeaderSignature) == two.Get(signature.HeaderSignature) {
		t.Error("the signature of the first attempt was used again")
	}
}

func TestPostKeepsTheConnectionForTheNextCallback(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("thank you")) })
	p := mustNew(t, lab(r.ca, r.URL))
	for range 3 {
		a, _ := post(t, p, r.URL)
		wantDelivered(t, a)
	}
	if n := r.connections(); n != 1 {
		t.Errorf("%d connections for 3 callbacks", n)
	}
}

func TestPostUsesNoProxy(t *testing.T) {
	p := mustNew(t, lab(""))
	for _, c := range []*http.Client{p.secure, p.plain} {
		if c.Transport.(*http.Transport).Proxy != nil {
			t.Error("a proxy would dial past the guard")
		}
	}
}

func TestPostGoesByPlainHTTPWhereTheListSaysSo(t *testing.T) {
	var got int
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	t.Cleanup(s.Close)
	a, _ := post(t, mustNew(t, lab("", s.URL)), s.URL+"/hook")
	wantDelivered(t, a)
	if got != 1 {
		t.Errorf("got %d requests", got)
	}
}

func TestPostAsksTheListAgain(t *testing.T) {
	r := newReceiver(t, nil)
	now := mustNew(t, lab(r.ca, "https://elsewhere.example.com/"))
	a, _ := post(t, now, r.URL+"/secret-path?token=secret-query")
	wantClass(t, a, ClassNotAllowed)
	c := owed(r.URL)
	c.Source = "removed"
	a, _ = now.Post(t.Context(), c, told)
	wantClass(t, a, ClassNotAllowed)
	if r.connections() != 0 {
		t.Error("something was sent")
	}
}

func TestPostSendsNothingThatItCannotSign(t *testing.T) {
	r := newReceiver(t, nil)
	c := owed(r.URL)
	c.ID = "an.id.with.stops"
	a, _ := mustNew(t, lab(r.ca, r.URL)).Post(t.Context(), c, told)
	wantClass(t, a, ClassSign)
	if r.connections() != 0 {
		t.Error("something was sent")
	}
}

func TestPostTellsAStopOfOursFromATimeout(t *testing.T) {
	arrived := make(chan struct{})
	r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) { close(arrived); <-req.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	a, _ := mustNew(t, lab(r.ca, r.URL)).Post(ctx, owed(r.URL), told)
	wantClass(t, a, ClassInterrupted)
	if Counts(a.Error) {
		t.Error("an attempt that we broke off ourselves counts against the receiver")
	}
}
