package source_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

const hmacKey = "compensate-4Rk8Tq7Wx2Zc9Lm4Vb6Yp1J"

// hmacSource signs the content of a template.
func hmacSource(content string, change ...func(*source.Config)) source.Config {
	c := source.Config{Name: "sender", Preset: "native"}
	c.Profile.Verify.Scheme = "hmac"
	c.Profile.Verify.Keys = []schemas.Secret{schemas.NewSecret(hmacKey)}
	c.Profile.Verify.HMAC = sender.HMAC{SignatureHeader: "X-Sig", ContentTemplate: content}
	if strings.Contains(content, "{timestamp}") {
		c.Profile.Verify.HMAC.TimestampHeader = "X-Time"
	}
	if strings.Contains(content, "{id}") {
		c.Profile.Verify.HMAC.IDHeader = "X-Id"
	}
	c.Profile.Read.As = "json"
	c.Profile.Map = sender.Map{Account: sender.Expressions{"$.user"}, OccurredAt: sender.Expressions{"$.time"}, Actor: sender.Expressions{"$.by"}}
	for _, f := range change {
		f(&c)
	}
	return c
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// mapped maps a body as if it had been verified.
func mapped(t *testing.T, c source.Config, body string) (source.Mapped, *schemas.Problem) {
	t.Helper()
	return open(t, c).Map(t.Context(), nil, verify.Proof{Payload: []byte(body)}, noon)
}

// An id keeps a delivery from being taken twice as long as the ledger remembers it, and a time for ever. Without a time
// something has to bound the age.
func TestAgeIsBoundedWhereNoTimeIsSigned(t *testing.T) {
	const old = `{"user":"a@example.com","time":"2026-11-20T12:00:00Z"}`
	for content, refused := range map[string]bool{"{body}": true, "{id}.{body}": true, "{timestamp}.{body}": false, "{id}.{timestamp}.{body}": false} {
		if _, p := mapped(t, hmacSource(content), old); (p != nil) != refused {
			t.Errorf("%s: %v", content, p)
		}
	}
}

// What the configuration demands holds, whatever the scheme signs.
func TestMaxAgeThatIsWrittenHolds(t *testing.T) {
	aged := func(c *source.Config) { c.MaxAge = time.Hour }
	for _, content := range []string{"{body}", "{id}.{body}", "{timestamp}.{body}"} {
		if _, p := mapped(t, hmacSource(content, aged), `{"user":"a@example.com","time":"2026-11-22T10:30:00Z"}`); p == nil || !strings.HasSuffix(p.Type, ":too_old") {
			t.Errorf("%s: %v", content, p)
		}
	}
}

// resetd's own body says when it was made; where nothing signs the time of sending, that is the time of what it reports.
func TestOwnBodyGrowsOldByItsTimestamp(t *testing.T) {
	own := func(c *source.Config) { c.Profile.Read, c.Profile.Map = sender.Read{}, sender.Map{} }
	body := func(timestamp, more string) string {
		return `{"type":"password_reset.requested","timestamp":"` + timestamp + `","data":{"account":"a@example.com"` + more + `}}`
	}
	for _, c := range []struct {
		content, body string
		refused       bool
	}{
		{"{body}", body("2026-11-20T12:00:00Z", ""), true},
		{"{body}", body("2026-11-22T11:00:00Z", ""), false},
		{"{body}", body("2026-11-20T12:00:00Z", `,"occurred_at":"2026-11-22T11:00:00Z"`), true},
		{"{timestamp}.{body}", body("2026-11-20T12:00:00Z", ""), false},
	} {
		if _, p := mapped(t, hmacSource(c.content, own), c.body); (p != nil) != c.refused {
			t.Errorf("%s %s: %v", c.content, c.body, p)
		}
	}
}

// A setting that has no effect is a mistake: whoever wrote it believes that it protects something.
func TestSettingsWithoutEffectAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config source.Config
		at     string
	}{
		"own_actors without an actor": {hmacSource("{body}", func(c *source.Config) {
			c.OwnActors, c.Profile.Map.Actor = []string{"svc"}, nil
		}), "own_actors"},
		"max_age without a time": {hmacSource("{body}", func(c *source.Config) {
			c.MaxAge, c.Profile.Map.OccurredAt = time.Hour, nil
		}), "max_age"},
		"repeat_within beside an id":                          {hmacSource("{id}.{body}", func(c *source.Config) { c.RepeatWithin = time.Hour }), "repeat_within"},
		"repeat_within that ends before the signature's time": {hmacSource("{timestamp}.{body}", func(c *source.Config) { c.RepeatWithin = 9 * time.Minute }), "repeat_within"},
		"rules for resetd's own body": {source.Config{Name: "sender", Preset: "native", Profile: profile(t, map[string]any{
			"refuse_when": []any{map[string]any{"if": "true", "why": "x"}}}, "whsec_RlKKMkrBJfOP1id3r0mGQh1eA33Z4oZwf6UT2386qcc=")}, "refuse_when"},
		"rules to ignore for resetd's own body": {source.Config{Name: "sender", Preset: "native", Profile: profile(t, map[string]any{
			"ignore_when": []any{map[string]any{"if": "true", "why": "x"}}}, "whsec_RlKKMkrBJfOP1id3r0mGQh1eA33Z4oZwf6UT2386qcc=")}, "ignore_when"},
		"a map for resetd's own body": {source.Config{Name: "sender", Preset: "native", Profile: profile(t, map[string]any{
			"map": map[string]any{"dry_run": true}}, "whsec_RlKKMkrBJfOP1id3r0mGQh1eA33Z4oZwf6UT2386qcc=")}, "map"},
		"resetd's own body in a token": {source.Config{Name: "sender", Preset: "native", Profile: profile(t, map[string]any{
			"verify": map[string]any{"scheme": "ssf-set", "token": map[string]any{"issuer": "https://t.example.com", "audience": []string{"resetd"}}}})}, "read.as"},
		"a media type that is none":     {hmacSource("{body}", func(c *source.Config) { c.Profile.Read.Types = []string{"json"} }), "read.types[0]"},
		"a media type with a parameter": {hmacSource("{body}", func(c *source.Config) { c.Profile.Read.Types = []string{"application/json; charset=utf-8"} }), "read.types[0]"},
		"a field of no form":            {hmacSource("{body}", func(c *source.Config) { c.Profile.Read.Field = "payload" }), "read.field"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := source.New([]source.Config{c.config}, schemas.NewValidator(), verify.Options{})
			f, ok := errors.AsType[*source.Fault](err)
			if !ok || f.Path != c.at {
				t.Errorf("%v", err)
			}
		})
	}
	if s := open(t, hmacSource("{timestamp}.{body}", func(c *source.Config) { c.RepeatWithin = 10 * time.Minute })); s.Repeat.Within != 10*time.Minute {
		t.Errorf("%+v", s.Repeat)
	}
}

// What resetd did itself asks for nothing, however old it is; the rest of the delivery is not lost with it.
func TestOwnReportsAreLeftOutBeforeAgesAreCompared(t *testing.T) {
	c := hmacSource("{body}", func(c *source.Config) {
		c.OwnActors = []string{"svc-resetd"}
		c.Profile.Map.ForEach = sender.Expressions{"$.all"}
	})
	m, p := mapped(t, c, `{"all":[{"user":"a@example.com","by":"svc-resetd","time":"2026-11-01T00:00:00Z"},{"user":"b@example.com","by":"mallory","time":"2026-11-22T11:00:00Z"}]}`)
	if p != nil || len(m.Requests) != 1 || m.Requests[0].Account.Value != "b@example.com" || m.Skipped != 1 {
		t.Errorf("%+v %v", m, p)
	}
}

func TestMediaTypesAreComparedInLowerCase(t *testing.T) {
	s := open(t, hmacSource("{body}", func(c *source.Config) { c.Profile.Read.Types = []string{"Application/CloudEvents+JSON"} }))
	if got := s.Media(); len(got) != 1 || got[0] != "application/cloudevents+json" {
		t.Errorf("%q", got)
	}
}
