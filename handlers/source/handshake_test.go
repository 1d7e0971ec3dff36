package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
)

// vectored opens the source of a preset's vector.
func vectored(t *testing.T, preset string) (*source.Source, vector) {
	t.Helper()
	v, _, _ := readFiles(t, preset)
	return open(t, source.Config{Preset: preset, Profile: profile(t, v.Source, v.Keys...)}), v
}

func query(string) string { return "" }

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// What a transmitter says of the stream itself is acknowledged before anything is mapped; a token that also reports
// something about an account is not.
func TestEventsAboutTheStreamAreAcknowledged(t *testing.T) {
	const (
		ssf  = "https://schemas.openid.net/secevent/ssf/event-type/"
		risc = "https://schemas.openid.net/secevent/risc/event-type/"
	)
	for _, preset := range []string{"ssf", "okta-ssf", "google-risc"} {
		s, _ := vectored(t, preset)
		for claims, want := range map[string]bool{
			`{"events":{"` + ssf + `verification":{"state":"a"}}}`:                                            true,
			`{"events":{"` + ssf + `stream-updated":{"status":"paused"}}}`:                                    true,
			`{"events":{"` + risc + `verification":{"state":"a"}}}`:                                           true,
			`{"events":{"` + ssf + `verification":{},"` + ssf + `stream-updated":{}}}`:                        true,
			`{"events":{"` + ssf + `verification":{},"` + risc + `account-disabled":{"reason":"hijacking"}}}`: false,
			`{"events":{"` + risc + `credential-compromise":{"credential_type":"password"}}}`:                 false,
			`{"events":{"https://evil.example/secevent/ssf/event-type/verification":{}}}`:                     false,
			`{"events":{}}`:                 false,
			`{"events":["` + ssf + `"]}`:    false,
			`{"type":"url_verification"}`:   false,
			`not the claims of any token`:   false,
			`{"events":{"verification":1}}`: false,
		} {
			r, answered := s.Answer(&verify.Delivery{Method: http.MethodPost}, query, []byte(claims))
			if answered != want || want && (r.Status != http.StatusAccepted || len(r.Body) > 0 || r.Type != "") {
				t.Errorf("%s: %s: %t %+v", preset, claims, answered, r)
			}
		}
	}
}

func TestOktaProvesItsHookByAChallenge(t *testing.T) {
	s, v := vectored(t, "okta-event-hook")
	ask := func(change func(*verify.Delivery)) (source.Reply, bool, error) {
		d := v.delivery(t, nil)
		d.Method = http.MethodGet
		d.Header.Set("X-Okta-Verification-Challenge", "nTjm7u8Q")
		change(d)
		if _, err := s.Verify(t.Context(), d, v.Now); err != nil {
			return source.Reply{}, false, err
		}
		r, ok := s.Answer(d, query, nil)
		return r, ok, nil
	}
	if r, ok, err := ask(func(*verify.Delivery) {}); err != nil || !ok || r.Status != 200 || string(r.Body) != `{"verification":"nTjm7u8Q"}` {
		t.Errorf("%v %t %+v %s", err, ok, r, r.Body)
	}
	for what, change := range map[string]func(*verify.Delivery){
		"no challenge":   func(d *verify.Delivery) { d.Header.Del("X-Okta-Verification-Challenge") },
		"two challenges": func(d *verify.Delivery) { d.Header.Add("X-Okta-Verification-Challenge", "x") },
		"a delivery":     func(d *verify.Delivery) { d.Method = http.MethodPost },
	} {
		if r, ok, err := ask(change); ok || err != nil {
			t.Errorf("%s: %v %+v", what, err, r)
		}
	}
	if _, _, err := ask(func(d *verify.Delivery) { d.Header.Set("Authorization", "guess") }); err == nil {
		t.Error("whoever guesses is answered")
	}
}

func TestSlackProvesItsURLByASignedChallenge(t *testing.T) {
	s, v := vectored(t, "slack")
	body := []byte(`{"token":"x","challenge":"3eZbrw1a","type":"url_verification"}`)
	at := unix(v.Now)
	mac := hmac.New(sha256.New, []byte(v.Keys[0]))
	mac.Write(append([]byte("v0:"+at+":"), body...))
	d := &verify.Delivery{Method: http.MethodPost, Header: http.Header{}, Body: body}
	d.Header.Set("X-Slack-Request-Timestamp", at)
	d.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	proof, err := s.Verify(t.Context(), d, v.Now)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := s.Answer(d, query, proof.Payload); !ok || string(r.Body) != `{"challenge":"3eZbrw1a"}` {
		t.Errorf("%t %s", ok, r.Body)
	}
	if _, err := s.Verify(t.Context(), d, v.Now.Add(6*time.Minute)); err == nil {
		t.Error("an old challenge verifies")
	}
}
