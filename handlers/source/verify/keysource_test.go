package verify_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

const (
	accepted    = verify.Reason("accepted")
	unavailable = verify.ReasonKeysUnavailable
	unknownKey  = verify.ReasonUnknownKey
)

func TestKeysAreFetchedOnceAndAgainWhenTheyAreRotated(t *testing.T) {
	i := newIssuer(t, edJWK("a"))
	f := openFetching(t, publicJWT(i.URL+"/keys"))
	step := func(what string, got, want verify.Reason, hits int) {
		t.Helper()
		if got != want || i.count() != hits {
			t.Errorf("%s: got %s, want %s; %d requests, want %d", what, got, want, i.count(), hits)
		}
	}
	if i.count() != 0 {
		t.Error("keys were fetched before anybody needed them")
	}
	step("first", f.ed(t, "a"), accepted, 1)
	step("again", f.ed(t, "a"), accepted, 1)
	i.publish(edJWK("b"))
	f.clock.pass(29 * time.Second)
	step("new key, too soon", f.ed(t, "b"), unknownKey, 1)
	step("old key meanwhile", f.ed(t, "a"), accepted, 1)
	f.clock.pass(time.Second)
	step("new key", f.ed(t, "b"), accepted, 2)
	step("withdrawn key", f.ed(t, "a"), unknownKey, 2)
	f.clock.pass(15 * time.Minute)
	step("not old yet", f.ed(t, "b"), accepted, 2)
	i.publish(edJWK("c"))
	f.clock.pass(time.Second)
	step("withdrawn, seen when they were old", f.ed(t, "b"), unknownKey, 3)
	// A token without kid may be of a new key.
	i.publish(jwk("", otherRSA().Public()), edJWK("d"))
	step("no kid, too soon", f.asks(t, "", "RS256", otherRSA()), unknownKey, 3)
	f.clock.pass(time.Minute)
	step("no kid", f.asks(t, "", "RS256", otherRSA()), accepted, 4)
	i.publish(jwk("", rsaKey().Public()))
	f.clock.pass(time.Minute)
	step("no kid, another key", f.asks(t, "", "RS256", rsaKey()), accepted, 5)
	step("a key without id and a token with one", f.asks(t, "x", "RS256", rsaKey()), accepted, 5)
	// One whose kid is known is judged at once: forgeries fetch nothing.
	i.publish(edJWK("e"))
	f.clock.pass(time.Minute)
	step("fetch", f.ed(t, "e"), accepted, 6)
	f.clock.pass(time.Minute)
	right := strings.Split(token("EdDSA", edKey(), map[string]any{"kid": "e"}, goodClaims()), ".")
	other := strings.Split(token("EdDSA", edKey(), nil, with(goodClaims(), "sub", "root")), ".")
	_, err := f.Verify(t.Context(), withBearer(right[0]+"."+other[1]+"."+right[2]), noon)
	step("forged", reasonOf(err), "no_match", 6)
}

func TestTokensOfOthersFetchNothing(t *testing.T) {
	i := newIssuer(t, edJWK("a"))
	f := openFetching(t, publicJWT(i.URL))
	for name, c := range map[string]map[string]any{
		"issuer": with(goodClaims(), "iss", "x"), "audience": with(goodClaims(), "aud", "x"), "expired": with(goodClaims(), "exp", 1),
	} {
		if _, err := f.Verify(t.Context(), withBearer(token("EdDSA", edKey(), map[string]any{"kid": "a"}, c)), noon); err == nil || i.count() != 0 {
			t.Errorf("%s: %v, %d requests", name, err, i.count())
		}
	}
}

func TestAFloodOfUnknownKeysIsNoFloodForTheIssuer(t *testing.T) {
	i := newIssuer(t, edJWK("a"))
	f := openFetching(t, publicJWT(i.URL))
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			if got := f.ed(t, "a"); got != accepted {
				t.Errorf("known: %s", got)
			}
			if got := f.ed(t, fmt.Sprint("invented", n)); got != unknownKey {
				t.Errorf("unknown: %s", got)
			}
		})
	}
	all.Wait()
	if i.count() != 1 {
		t.Errorf("%d requests for the first keys", i.count())
	}
	for range 5 {
		f.clock.pass(30 * time.Second)
		for n := range 20 {
			all.Go(func() { f.ed(t, fmt.Sprint("more", n)) })
		}
		all.Wait()
	}
	if i.count() != 6 {
		t.Errorf("%d requests in two and a half minutes", i.count())
	}
}

// TestRotationUnderLoad is for the race detector: keys change while many verify.
func TestRotationUnderLoad(t *testing.T) {
	i := newIssuer(t, edJWK("k0"))
	f := openFetching(t, publicJWT(i.URL))
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for k := range 25 {
				switch {
				case n == 0:
					i.publish(edJWK("k0"), edJWK(fmt.Sprint("k", k)))
					f.clock.pass(31 * time.Second)
				default:
					if got := f.ed(t, "k0"); got != accepted {
						t.Errorf("the key that stays: %s", got)
					}
					f.ed(t, fmt.Sprint("k", k))
				}
			}
		})
	}
	all.Wait()
}

func TestAnIssuerThatIsDown(t *testing.T) {
	i := newIssuer(t)
	f := openFetching(t, publicJWT(i.URL))
	i.does(says(http.StatusServiceUnavailable, "later"))
	if got := f.ed(t, "a"); got != unavailable || i.count() != 1 {
		t.Fatalf("no keys yet: %s, %d requests", got, i.count())
	}
	i.publish(edJWK("a"))
	f.clock.pass(4 * time.Second)
	if got := f.ed(t, "a"); got != unavailable || i.count() != 1 {
		t.Errorf("tried again too soon: %s, %d requests", got, i.count())
	}
	f.clock.pass(time.Second)
	if got := f.ed(t, "a"); got != accepted || i.count() != 2 {
		t.Errorf("up again: %s, %d requests", got, i.count())
	}
	i.does(says(http.StatusServiceUnavailable, "later"))
	f.clock.pass(time.Hour)
	for range 3 {
		if got := f.ed(t, "a"); got != accepted || i.count() != 3 {
			t.Errorf("old keys go on: %s, %d requests", got, i.count())
		}
	}
	if got := f.ed(t, "new"); got != unavailable {
		t.Errorf("a key that cannot be asked for: %s", got)
	}
	f.clock.pass(22 * time.Hour)
	if got := f.ed(t, "a"); got != accepted {
		t.Errorf("old keys go on for a day: %s", got)
	}
	f.clock.pass(2 * time.Hour)
	if got := f.ed(t, "a"); got != unavailable {
		t.Errorf("keys of yesterday: %s", got)
	}
	if log := f.log.String(); strings.Count(log, `"level":"error"`) != 2 || !strings.Contains(log, "status 503") || !strings.Contains(log, "can be fetched again") {
		t.Errorf("the log: %s", log)
	}
}

func TestAnIssuerThatHangs(t *testing.T) {
	i := newIssuer(t)
	f := openFetching(t, publicJWT(i.URL))
	gone := make(chan struct{})
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-gone:
		}
	}
	t.Cleanup(func() { close(gone) })
	i.does(hang)
	verify.Hurry(f.Scheme, 20*time.Millisecond, 20*time.Millisecond)
	if got := f.ed(t, "a"); got != unavailable {
		t.Fatalf("no keys: %s", got)
	}
	verify.Landed(t.Context(), f.Scheme)
	if !strings.Contains(f.log.String(), "deadline") {
		t.Errorf("the log: %s", f.log)
	}
	i.publish(edJWK("a"))
	f.clock.pass(time.Minute)
	verify.Hurry(f.Scheme, time.Minute, 20*time.Millisecond)
	if got := f.ed(t, "a"); got != accepted {
		t.Fatalf("up again: %s", got)
	}
	i.does(hang)
	f.clock.pass(time.Hour)
	if got := f.ed(t, "a"); got != accepted {
		t.Errorf("keys that are there, while it hangs: %s", got)
	}
	if got := f.ed(t, "new"); got != unavailable {
		t.Errorf("a new key, while it hangs: %s", got)
	}
	// Who does not wait, does not wait.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	verify.Hurry(f.Scheme, time.Minute, time.Minute)
	_, err := f.Verify(ctx, withBearer(token("EdDSA", edKey(), map[string]any{"kid": "new"}, goodClaims())), noon)
	if reasonOf(err) != unavailable {
		t.Error(err)
	}
}

// TestADeliveryThatGoesAwayLeavesItsTryToTheOthers cancels the delivery that began a try.
func TestADeliveryThatGoesAwayLeavesItsTryToTheOthers(t *testing.T) {
	i := newIssuer(t)
	f := openFetching(t, publicJWT(i.URL))
	began, answer := make(chan struct{}), make(chan struct{})
	i.does(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-answer
		says(http.StatusOK, string(jwks(edJWK("a"))))(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := f.Verify(ctx, withBearer(token("EdDSA", edKey(), map[string]any{"kid": "a"}, goodClaims())), noon)
		left <- err
	}()
	<-began
	cancel()
	if err := <-left; reasonOf(err) != unavailable {
		t.Error(err)
	}
	close(answer)
	if got := f.ed(t, "a"); got != accepted || i.count() != 1 {
		t.Errorf("%s, %d requests", got, i.count())
	}
}

func TestAnswersThatAreNoKeys(t *testing.T) {
	var tooMany []map[string]any
	for n := range 257 {
		tooMany = append(tooMany, edJWK(fmt.Sprint(n)))
	}
	elsewhere := newIssuer(t, edJWK("a"))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		log    string
	}{
		"404":           {says(404, string(jwks(edJWK("a")))), "status 404"},
		"204":           {says(204, ""), "status 204"},
		"no JSON":       {says(200, "<html>"), "no JSON Web Key Set"},
		"nothing":       {says(200, ""), "no JSON Web Key Set"},
		"no keys":       {says(200, `{}`), "none of the 0 keys"},
		"null":          {says(200, `null`), "none of the 0 keys"},
		"keys twice":    {says(200, `{"keys":[],"keys":[]}`), "no JSON Web Key Set"},
		"secrets":       {says(200, `{"keys":[{"kty":"oct","kid":"a","k":"`+b64([]byte(hmacKey))+`"}]}`), "none of the 1 keys"},
		"weak":          {says(200, string(jwks(jwk("a", weakRSA().Public())))), "none of the 1 keys"},
		"other purpose": {says(200, string(jwks(jwk("a", edKey().Public(), "use", "enc")))), "none of the 1 keys"},
		"too many":      {says(200, string(jwks(tooMany...))), "257 keys"},
		"redirect":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, "redirects"},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			for line := strings.Repeat(" ", 64<<10); ; {
				if _, err := w.Write([]byte(line)); err != nil {
					return
				}
			}
		}, "longer than 524288 bytes"},
		"packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for line := make([]byte, 64<<10); ; {
				if _, err := z.Write(line); err != nil {
					return
				}
			}
		}, "longer than 524288 bytes"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
		}, "unexpected EOF"},
	} {
		i := newIssuer(t)
		f := openFetching(t, publicJWT(i.URL+"/keys"))
		i.does(c.answer)
		if got := f.ed(t, "a"); got != unavailable {
			t.Errorf("%s: %s", name, got)
		}
		if log := f.log.String(); !strings.Contains(log, c.log) || !strings.Contains(log, i.URL+"/keys") {
			t.Errorf("%s: the log does not say %q and where: %s", name, c.log, log)
		}
		if err := verify.Ready(t.Context(), f.Scheme); err == nil || !strings.Contains(err.Error(), c.log) {
			t.Errorf("%s: the check says %v", name, err)
		}
	}
	if elsewhere.count() > 0 {
		t.Error("a redirect was followed")
	}
}

func TestKeysFromAFileAreReadAgain(t *testing.T) {
	address := keyFile(t, edJWK("a"))
	f := openFetching(t, publicJWT(address))
	name := strings.TrimPrefix(address, "file:")
	if got := f.ed(t, "a"); got != accepted {
		t.Fatal(got)
	}
	if err := os.WriteFile(name, jwks(edJWK("b")), 0o600); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Minute)
	if got := f.ed(t, "b"); got != accepted {
		t.Errorf("the new file: %s", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Hour)
	if got := f.ed(t, "b"); got != accepted || !strings.Contains(f.log.String(), "no such file") {
		t.Errorf("without a file: %s\n%s", got, f.log)
	}
}

func TestKeysOverTLSNeedAnAuthority(t *testing.T) {
	i := newIssuer(t, edJWK("a"))
	secure := httptest.NewTLSServer(i)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = quiet
	for ca, want := range map[string]verify.Reason{"": unavailable, file(t, &identity{cert: secure.Certificate()}): accepted} {
		v := publicJWT(secure.URL)
		v.Token.CA = ca
		f := openFetching(t, v)
		if got := f.ed(t, "a"); got != want {
			t.Errorf("with CA %q: %s", ca, got)
		}
		if err := verify.Ready(t.Context(), f.Scheme); (err == nil) != (want == accepted) {
			t.Error(err)
		}
	}
}

func TestSchemesThatFetchNothingAreReady(t *testing.T) {
	for _, v := range []sender.Verify{sharedHeader(), {Scheme: "jwt", Keys: secrets(hmacKey)}, {Scheme: "standard-webhooks", Keys: sixKeys()[:1]}} {
		if err := verify.Ready(t.Context(), mustOpen(t, v, verify.Options{})); err != nil {
			t.Errorf("%s: %v", v.Scheme, err)
		}
	}
}
