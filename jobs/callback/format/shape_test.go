package format

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"github.com/resetd/resetd/schemas"
)

// hostile are texts that mean something to one receiver or another, or to those who write JSON by hand.
var hostile = []string{
	`"}],"admin":true,"x":"`, `\`, `\"`, "line\nbreak: successful", "\r\nX-Evil: 1", "tab\tand\vnul\x00", "\u2028\u2029\u202egnp.exe", "\xff\xfe not UTF-8",
	"<!channel> <@U012345> <https://evil.example|click>", "@channel @here", "</pre><script>alert(1)</script>", "{{ticket.requester.email}} {%raw%}",
	"[~admin] [click|https://evil.example] {noformat}!x.png!", "[code]<a href='https://evil.example'>x</a>[/code]", "```\n# heading\n```", "**bold** [x](https://evil.example)",
	"{account} {param:channel} {each line}", "}}{{", "{", "!closeInvestigation", "/bash", "@{triggerBody()}", "https://evil.example/login", "%2e%2e%2f", strings.Repeat("&", 5000),
	`DOMAIN\name`, "ﷺ𝔘nicode é",
}

// poisoned is the sample with foreign words in every text that somebody else writes.
func poisoned(words, reference string) Event {
	e := sampleEvent()
	e.Task.Request.Account.Value, e.Task.Request.Description, e.Task.Request.Reference = words, words, reference
	e.Task.Detail, e.Task.Enforcements[0].Detail, e.Task.Enforcements[1].Detail = words, words, words
	return e
}

// Foreign words must change the letters of a message and nothing else: not its members, their types or their number, not
// where it goes, and not what the receiver reads into it.
func nothingBreaksOut(t *testing.T, formats map[string]*Format, words string) {
	t.Helper()
	for name, g := range examples() {
		f := formats[name]
		plain := requests(t, f, poisoned("x", g.reference), g.answers)
		got := requests(t, f, poisoned(words, g.reference), g.answers)
		if len(got) != len(plain) {
			t.Fatalf("%s: %d requests for %q", name, len(got), words)
		}
		for i, r := range got {
			if r.Address != plain[i].Address || fmt.Sprint(r.Header) != fmt.Sprint(plain[i].Header) || r.Method != plain[i].Method {
				t.Errorf("%s: %q changes where it goes: %s %s %v", name, words, r.Method, r.Address, r.Header)
			}
			if a, b := shape(t, r.Body), shape(t, plain[i].Body); a != b && len(words) < 100 {
				t.Errorf("%s: %q changes the body:\n%s\n%s", name, words, a, b)
			}
			harmless(t, name, words, r.Body)
		}
	}
}

func TestNothingBreaksOutOfAMessage(t *testing.T) {
	formats := all(t)
	for _, words := range hostile {
		nothingBreaksOut(t, formats, words)
	}
}

func all(t testing.TB) map[string]*Format {
	t.Helper()
	out := map[string]*Format{}
	for name, g := range examples() {
		out[name] = mustNew(t, name, g)
	}
	return out
}

func FuzzNothingBreaksOutOfAMessage(f *testing.F) {
	for _, words := range hostile {
		f.Add(words)
	}
	formats := all(f)
	f.Fuzz(func(t *testing.T, words string) {
		if line(words) == "" {
			t.Skip("the lines of nothing are left out")
		}
		nothingBreaksOut(t, formats, words)
	})
}

// harmless looks for what a receiver would read into the texts of a body.
func harmless(t *testing.T, name, words string, body []byte) {
	t.Helper()
	if body == nil {
		return
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %q makes a body that is no JSON: %v", name, words, err)
	}
	for _, s := range texts(v) {
		for _, bad := range []string{"\r", "\x00", "\u202e", "\u2028", "\v"} {
			if strings.Contains(s, bad) {
				t.Errorf("%s: %q leaves %q in %q", name, words, bad, s)
			}
		}
		switch f := name; {
		case strings.HasPrefix(f, "slack"):
			if rest := slackLink.ReplaceAllString(s, ""); strings.ContainsAny(rest, "<>") {
				t.Errorf("%s: %q mentions or links: %q", name, words, s)
			}
		case f == "zendesk":
			if got := strings.Join(elements(s), " "); s != "open" && got != "pre /pre p a /a /p" {
				t.Errorf("%s: %q makes elements: %s", name, words, got)
			}
			if strings.ContainsAny(s, "{}") {
				t.Errorf("%s: %q leaves a brace in %q", name, words, s)
			}
		case f == "jira-dc":
			rest := taskLink.ReplaceAllString(entities.ReplaceAllString(s, ""), "")
			if strings.Contains(s, "Asked for") && strings.ContainsAny(rest, `\{}[]()|*_-+^~#!@:`) {
				t.Errorf("%s: %q leaves markup in %q", name, words, rest)
			}
		case f == "servicenow":
			if strings.Contains(strings.ToLower(s), "[code]") {
				t.Errorf("%s: %q makes HTML of %q", name, words, s)
			}
		case f == "thehive":
			if strings.Count(s, "```") != 2 || !strings.HasPrefix(s, "```\nresetd: ") || strings.Count(s, "`") != 8 {
				t.Errorf("%s: %q leaves its fence: %q", name, words, s)
			}
		case strings.HasPrefix(f, "xsoar"):
			if strings.HasPrefix(s, "!") || strings.HasPrefix(s, "/") {
				t.Errorf("%s: %q is a command: %q", name, words, s)
			}
		}
	}
}

var (
	slackLink = regexp.MustCompile(`^<https://resetd\.example\.com/v1/tasks/[0-9a-f-]+\|Task [0-9a-f-]+>`)
	taskLink  = regexp.MustCompile(`https://resetd\.example\.com/v1/tasks/[0-9a-f-]+`)
	entities  = regexp.MustCompile(`&#[0-9]+;`)
)

// elements lists the tags of a piece of HTML.
func elements(s string) []string {
	var out []string
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			out = append(out, string(name))
		case html.EndTagToken:
			name, _ := z.TagName()
			out = append(out, "/"+string(name))
		case html.CommentToken, html.DoctypeToken:
			out = append(out, "!")
		}
	}
}

// shape gives the members of a body and their types.
func shape(t *testing.T, body []byte) string {
	t.Helper()
	if body == nil {
		return ""
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				b.WriteString("{" + key)
				walk(v[key])
				b.WriteString("}")
			}
		case []any:
			b.WriteString("[")
			for _, item := range v {
				walk(item)
			}
			b.WriteString("]")
		default:
			fmt.Fprintf(&b, "%T", v)
		}
	}
	walk(v)
	return b.String()
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, texts(item)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, item := range v {
			out = append(out, texts(item)...)
		}
		return out
	}
	return nil
}

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("testdata/schemas/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, what string, s *jsonschema.Schema, body []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", what, err, body)
	}
}

// The richest and the poorest task, and the longest words, keep the form that the vendor's schema asks for.
func TestBodiesHaveTheFormThatTheirReceiversAskFor(t *testing.T) {
	for name, file := range map[string]string{"jira": "jira", "teams": "teams", "slack": "slack", "slack-api": "slack"} {
		s := compile(t, file)
		g := examples()[name]
		f := mustNew(t, name, g)
		events := map[string]Event{"the sample": sampleEvent(), "a bare one": {ID: eventID, Public: "https://resetd.example.com",
			Task: schemas.Task{ID: "0192f5a0", Source: "soar", Status: schemas.StatusQueued, UpdatedAt: time.Unix(1795330800, 0)}}}
		for _, words := range hostile {
			events[words] = poisoned(words, g.reference)
		}
		many := sampleEvent()
		for i := range 64 {
			many.Task.Enforcements = append(many.Task.Enforcements, schemas.Enforcement{System: fmt.Sprintf("system-%d", i), Status: schemas.StatusUnsuccessful,
				Code: schemas.CodeUnexpected, Detail: strings.Repeat("<&>", 500)})
		}
		events["64 systems"] = many
		for what, e := range events {
			e.Task.Request.Reference = g.reference
			valid(t, name+", "+what, s, requests(t, f, e, nil)[0].Body)
		}
	}
}

func TestACloudEventIsOne(t *testing.T) {
	s := compile(t, "cloudevents")
	e := sampleEvent()
	body, err := CloudEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, "the sample", s, body)
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	standard, err := Standard(e)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(standard, &m); err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(got["data"]), fmt.Sprint(m["data"]); a != b {
		t.Errorf("the data is another than in the standard format:\n%s\n%s", a, b)
	}
	if got["id"] != eventID || got["subject"] != e.Task.ID || got["type"] != "com.github.resetd.password_reset.partially_successful" ||
		got["source"] != "https://resetd.example.com/v1/hooks/soar" || got["time"] != "2026-11-22T07:00:00.25Z" {
		t.Errorf("got %s", body)
	}
	if strings.Contains(string(body), "sealed-password") {
		t.Error("the sealed password is in it")
	}
	for _, words := range hostile {
		body, err := CloudEvent(poisoned(words, words))
		if err != nil {
			t.Fatal(err)
		}
		valid(t, words, s, body)
	}
}
