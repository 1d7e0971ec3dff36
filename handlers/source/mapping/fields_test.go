package mapping_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// field maps {"u":"jdoe","v":value} with one more field and gives the result.
func field(t *testing.T, m sender.Map, value any) (mapping.Result, *schemas.Problem) {
	t.Helper()
	m.Account = sender.Expressions{"$.u"}
	body, err := json.Marshal(map[string]any{"u": "jdoe", "v": value})
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, mapping.Program{Map: m}).Map(t.Context(), mapping.Input{Body: body, Now: now, Header: http.Header{"X-Event": {"alert"}}})
}

func TestOccurredAt(t *testing.T) {
	at := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	ms := at.Add(123 * time.Millisecond)
	for _, c := range []struct {
		value any
		want  time.Time // zero: absent
	}{
		{"2026-11-28T07:00:00Z", at}, {"2026-11-28T08:00:00+01:00", at}, {"2026-11-28T07:00:00+0000", at}, {"2026-11-28T07:00:00.123Z", ms},
		{"2026-11-28T07:00:00.123+0000", ms}, {"2026-11-28 07:00:00", at}, {"2026-11-28T07:00:00", at}, {"2026-11-28 07:00:00.123", ms}, {"2026-11-28 07:00:00Z", at},
		{"2026-11-28 07:00:00 +0000", at}, {"2026-11-28 07:00:00 UTC", at}, {" 2026-11-28T07:00:00Z ", at}, {"Sat, 28 Nov 2026 07:00:00 +0000", at},
		{"Sat, 28 Nov 2026 07:00:00 GMT", at}, {at.Unix(), at}, {at.UnixMilli(), at}, {ms.UnixMilli(), ms}, {at.UnixMicro(), at}, {at.UnixNano(), at},
		{"1795849200", at}, {"1795849200123", ms}, {"1795849200.123", ms}, {json.RawMessage("1795849200.000"), at}, {json.RawMessage("1795849200.123"), ms},
		{[]any{"2026-11-28T07:00:00Z"}, at},
		{nil, time.Time{}}, {"", time.Time{}}, {0, time.Time{}}, {"0", time.Time{}}, {"0001-01-01T00:00:00Z", time.Time{}}, {[]any{}, time.Time{}},
	} {
		r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"$.missing", "$.v"}}, c.value)
		if p != nil || len(r.Requests) != 1 || r.Requests[0].OccurredAt.Sub(c.want).Abs() > time.Microsecond {
			t.Errorf("%v: %+v %+v", c.value, r.Requests, p)
		}
	}
	for _, value := range []any{"yesterday", "28.11.2026", "11/28/2026", 5, -5, "1e9", "12:00", "2026-13-01T00:00:00Z", "2026-11-28 07:00:00 CET", "2026-11-28 07:00:00 XYZ", true,
		map[string]any{"t": 1}, []any{"2026-11-28T07:00:00Z", "2026-11-28T07:00:00Z"}, "+1795849200", strings.Repeat("9", 100), "99999-01-01T00:00:00Z", json.RawMessage("1e300")} {
		r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"$.v", "$.other"}}, value)
		if p == nil || p.Status != 422 || p.Type != "urn:resetd:problem:invalid_request" || !strings.Contains(p.Errors[0].Detail, "map.occurred_at[0] ($.v): this is no time") {
			t.Errorf("%v: %+v %+v", value, r, p)
		}
	}
	for source, want := range map[string]time.Time{
		`unix(body.v)`: at, `unix(string(body.v))`: at, `unix_ms(body.v * 1000)`: at, `timestamp(body.v)`: at, `rfc3339(string(timestamp(body.v)))`: at,
		`timestamp(body.v) + duration("1h")`: at.Add(time.Hour), `unix(body.?x)`: {}, `rfc3339(body.?x)`: {}, `unix_ms(0)` + ` == "" ? "" : string(body.x)`: {},
	} {
		r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"=" + source}}, at.Unix())
		if p != nil || !r.Requests[0].OccurredAt.Equal(want) {
			t.Errorf("%s: %+v %+v", source, r, p)
		}
	}
	for _, source := range []string{`rfc3339(string(body.v) + "x")`, `unix("x" + string(body.v))`} {
		if r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"=" + source}}, 1); p == nil || p.Type != "urn:resetd:problem:mapping_failed" {
			t.Errorf("%s: %+v %+v", source, r, p)
		}
	}
}

// A zone that is known by letters only is read the same on every machine: not at all.
func TestTheMachinesZoneDoesNotMatter(t *testing.T) {
	before := time.Local
	time.Local = time.FixedZone("CET", 3600)
	defer func() { time.Local = before }()
	for _, value := range []string{"2026-11-28 07:00:00 CET", "Sat, 28 Nov 2026 07:00:00 CET"} {
		if r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"$.v"}}, value); p == nil {
			t.Errorf("%s: %v", value, r.Requests[0].OccurredAt)
		}
	}
	if r, p := field(t, sender.Map{OccurredAt: sender.Expressions{"$.v"}}, "2026-11-28 07:00:00"); p != nil || !r.Requests[0].OccurredAt.Equal(now) {
		t.Errorf("%+v %+v", r, p)
	}
}

func TestTextsBecomeWhatARequestTakes(t *testing.T) {
	long := strings.Repeat("é", 300)
	for _, c := range []struct {
		value                  any
		reference, description string
	}{
		{"INC1", "INC1", "INC1"},
		{4711, "4711", "4711"},
		{json.RawMessage("18446744073709551616"), "18446744073709551616", "18446744073709551616"},
		{1.5, "1.5", "1.5"},
		{true, "true", "true"},
		{nil, "other", "other"},
		{" ", "other", "other"},
		{map[string]any{"a": 1}, "other", "other"},
		{[]any{}, "other", "other"},
		{[]any{"a", nil, 2, map[string]any{}, " b "}, "a, 2, b", "a, 2, b"},
		{"a\nb\tc\r\nd\re", "a b c d e", "a\nb\tc\nd e"},
		{"a\x00b\u202ec\u200bd", "a b c d", "a b c d"},
		{"\u200b", "other", "other"},
		{long, strings.Repeat("é", 126) + "…", long},
	} {
		r, p := field(t, sender.Map{Reference: sender.Expressions{"$.v", "other"}, Description: sender.Expressions{"=body.v", "other"}, Actor: sender.Expressions{"$.v"}}, c.value)
		if p != nil {
			t.Errorf("%v: %+v", c.value, p)
			continue
		}
		if q := r.Requests[0]; q.Reference != c.reference || q.Description != c.description {
			t.Errorf("%v: %q %q", c.value, q.Reference, q.Description)
		}
	}
	r, p := field(t, sender.Map{Description: sender.Expressions{"$.v"}}, strings.Repeat("日本", 5000))
	if p != nil || len(r.Requests[0].Description) > 4096 || len(r.Requests[0].Description) < 4090 || !utf8.ValidString(r.Requests[0].Description) || !strings.HasSuffix(r.Requests[0].Description, "本…") {
		t.Errorf("%+v %+v", r, p)
	}
}

func TestFixedFields(t *testing.T) {
	no := false
	r, p := field(t, sender.Map{Mode: "expire", RevokeSessions: &no, DryRun: true, Reference: sender.Expressions{"fixed"}, Description: sender.Expressions{`=headers["x-event"] + " at " + string(now)`}}, nil)
	if p != nil {
		t.Fatal(p)
	}
	q := r.Requests[0]
	if q.Mode != schemas.ModeExpire || q.RevokeSessions == nil || *q.RevokeSessions || !q.DryRun || q.Reference != "fixed" || q.Description != "alert at 2026-11-28T07:00:00Z" {
		t.Fatalf("%+v", q)
	}
	if r, p = field(t, sender.Map{}, nil); p != nil || r.Requests[0].Mode != "" || r.Requests[0].RevokeSessions != nil {
		t.Fatalf("%+v %+v", r, p)
	}
}

func TestSecretsOfTheHeaderAreNotSeen(t *testing.T) {
	h := http.Header{}
	for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Hub-Signature-256", "X-Gitlab-Token", "X-Secret", "X-Api-Key", "X-Webhook-Signature", "Apikey", "X-Password"} {
		h.Set(name, "hidden")
	}
	h.Set("X-Event", "ping")
	h["X-Twice"] = []string{"a", "b"}
	m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{"$.u"},
		Description: sender.Expressions{`=headers.map(n, n + "=" + headers[n]).join(" ")`}, Reference: sender.Expressions{`=headers["authorization"]`, `=headers["x-twice"]`, "none"}}})
	r, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"u":"jdoe"}`), Header: h, Now: now})
	if p != nil || r.Requests[0].Description != "x-event=ping" || r.Requests[0].Reference != "none" {
		t.Fatalf("%+v %+v", r, p)
	}
}
