package source

import (
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/handlers/source/verify"
)

// Reply is what a handshake is answered with.
type Reply struct {
	Status int
	Type   string // the media type; empty with an empty body
	Body   []byte
}

// handshake answers a question of the sender that is no delivery, or gives false. It is asked after the delivery was
// verified: a sender that cannot sign its question shows its credential with it, in a header or in the URL.
type handshake func(d *verify.Delivery, query func(string) string, payload []byte) (Reply, bool)

// The handshakes, by the name that a preset uses.
var handshakes = map[string]handshake{
	"okta-challenge":         oktaChallenge,
	"slack-url-verification": slackURLVerification,
	"graph-validation-token": graphValidationToken,
	"ssf-verification":       ssfVerification,
}

// Handshakes lists the names of the handshakes in alphabetical order.
func Handshakes() []string { return slices.Sorted(maps.Keys(handshakes)) }

// maxChallenge bounds what is echoed, in bytes.
const maxChallenge = 1024

// oktaChallenge is Okta's one-time verification of an event hook: a GET whose challenge is given back as JSON (Okta
// developer documentation, "Event hooks", one-time verification request).
func oktaChallenge(d *verify.Delivery, _ func(string) string, _ []byte) (Reply, bool) {
	challenge := d.Header["X-Okta-Verification-Challenge"]
	if d.Method != http.MethodGet || len(challenge) != 1 || challenge[0] == "" || len(challenge[0]) > maxChallenge {
		return Reply{}, false
	}
	return echo("verification", challenge[0])
}

// slackURLVerification is Slack's check of an events URL: a signed body with a challenge that is given back (Slack API
// documentation, "url_verification event").
func slackURLVerification(_ *verify.Delivery, _ func(string) string, payload []byte) (Reply, bool) {
	var q struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(payload, &q) != nil || q.Type != "url_verification" || q.Challenge == "" || len(q.Challenge) > maxChallenge {
		return Reply{}, false
	}
	return echo("challenge", q.Challenge)
}

func echo(name, value string) (Reply, bool) {
	body, err := json.Marshal(map[string]string{name: value})
	return Reply{http.StatusOK, mediaJSON, body}, err == nil
}

// graphValidationToken is Microsoft Graph's check of a notification URL: a POST whose query holds a token, which is given
// back as plain text within ten seconds (Microsoft Graph documentation, "Receive change notifications through webhooks").
// It is escaped, so that a browser that is lured here runs nothing.
func graphValidationToken(_ *verify.Delivery, query func(string) string, _ []byte) (Reply, bool) {
	token := query("validationToken")
	if token == "" || len(token) > maxChallenge || strings.ContainsAny(token, "\r\n\x00") {
		return Reply{}, false
	}
	return Reply{http.StatusOK, "text/plain; charset=utf-8", []byte(html.EscapeString(token))}, true
}

// The events by which a transmitter speaks about the stream itself (OpenID Shared Signals Framework 1.0 §8.1.4, §8.1.5).
const (
	eventVerification  = "https://schemas.openid.net/secevent/ssf/event-type/verification"
	eventStreamUpdated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
	eventRISCVerify    = "https://schemas.openid.net/secevent/risc/event-type/verification" // Google's
)

// ssfVerification acknowledges a token all of whose events are about the stream.
func ssfVerification(_ *verify.Delivery, _ func(string) string, payload []byte) (Reply, bool) {
	var token struct {
		Events map[string]jsontext.Value `json:"events"`
	}
	if json.Unmarshal(payload, &token) != nil || len(token.Events) == 0 {
		return Reply{}, false
	}
	for event := range token.Events {
		if event != eventVerification && event != eventStreamUpdated && event != eventRISCVerify {
			return Reply{}, false
		}
	}
	return Reply{Status: http.StatusAccepted}, true
}
