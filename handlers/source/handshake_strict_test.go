package source_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
)

// A handshake swallows a delivery, so that it must read a body as strictly as the mapping does: a name in another case is
// another name, and a body that can be read in two ways is no question.
func TestHandshakesReadABodyAsTheMappingDoes(t *testing.T) {
	const verification = `"https://schemas.openid.net/secevent/ssf/event-type/verification":{}`
	for name, bodies := range map[string]map[string]bool{
		"slack-url-verification": {
			`{"type":"url_verification","challenge":"c"}`:                                 true,
			`{"token":"t","type":"url_verification","challenge":"c","more":[{"a":1}]}`:    true,
			`{"TYPE":"url_verification","Challenge":"c"}`:                                 false,
			`{"type":"event_callback","Type":"url_verification","challenge":"c"}`:         false,
			`{"type":"url_verification","type":"event_callback","challenge":"c"}`:         false,
			`{"type":"url_verification","challenge":""}`:                                  false,
			`{"type":"url_verification","challenge":"` + strings.Repeat("c", 1025) + `"}`: false,
			`{"type":"url_verification","challenge":"c"} {}`:                              false,
			`{"type":"url_verification","challenge":{}}`:                                  false,
			strings.Repeat(`[`, 20_000):                                                   false,
		},
		"ssf-verification": {
			`{"events":{` + verification + `}}`:                                     true,
			`{"EVENTS":{` + verification + `}}`:                                     false,
			`{"Events":{` + verification + `},"events":{"https://x.example/e":{}}}`: false,
			`{"events":{` + verification + `,"https://x.example/e":{}}}`:            false,
			`{"events":{}}`: false,
			`{"events":[]}`: false,
			`null`:          false,
		},
	} {
		s := open(t, hmacSource("{body}", func(c *source.Config) { c.Profile.Handshake = []string{name} }))
		for body, want := range bodies {
			d := &verify.Delivery{Method: http.MethodPost, Body: []byte(body)}
			if _, got := s.Answer(d, func(string) string { return "" }, d.Body); got != want {
				t.Errorf("%s on %.80s: %t", name, body, got)
			}
		}
	}
}

func TestOktaIsAnsweredOnlyWhenItAsksByGET(t *testing.T) {
	s := open(t, hmacSource("{body}", func(c *source.Config) { c.Profile.Handshake = []string{"okta-challenge"} }))
	ask := func(method string, challenge ...string) bool {
		d := &verify.Delivery{Method: method, Header: http.Header{"X-Okta-Verification-Challenge": challenge}}
		_, ok := s.Answer(d, func(string) string { return "" }, nil)
		return ok
	}
	if !ask("GET", "c") || ask("POST", "c") || ask("GET") || ask("GET", "a", "b") || ask("GET", strings.Repeat("c", 1025)) {
		t.Error("the wrong question is answered, or the right one is not")
	}
}
