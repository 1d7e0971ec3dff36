package format

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/receiver"
)

// Every mistake is told, with the path where it stands, and no secret in it.
func TestNewNamesEveryFaultByItsPath(t *testing.T) {
	token := receiver.Auth{Secret: secret("s3cret-token")}
	tree := func(v any) receiver.Tree { return receiver.Tree{Value: v} }
	reference := func(s *receiver.Spec) { s.Template.Reference = "[A-Z]+-[0-9]+" }
	for name, c := range map[string]struct {
		spec receiver.Spec
		want []string // paths, in their order
	}{
		"no such format":                 {receiver.Spec{Format: "jyra"}, []string{"format"}},
		"a path as format":               {receiver.Spec{Format: "../presets/jira"}, []string{"format"}},
		"standard with all else":         {receiver.Spec{Auth: token, Params: map[string]string{"a": "b"}, Template: receiver.Template{Text: "plain"}}, []string{"auth", "params", "template"}},
		"cloudevents with a log-in":      {receiver.Spec{Format: "cloudevents", Auth: token}, []string{"auth"}},
		"no secret":                      {receiver.Spec{Format: "jira", Auth: receiver.Auth{User: "u"}}, []string{"auth.secret"}},
		"no user":                        {receiver.Spec{Format: "jira", Auth: token}, []string{"auth.user"}},
		"a user with a colon":            {receiver.Spec{Format: "jira", Auth: receiver.Auth{User: "a:b", Secret: secret("s3cret-token")}}, []string{"auth.user"}},
		"a log-in that it does not take": {receiver.Spec{Format: "pagerduty", Auth: receiver.Auth{Scheme: "basic", User: "u", Secret: secret("s3cret-token")}, Params: map[string]string{"from": "a@b.example"}}, []string{"auth.scheme"}},
		"a user without basic":           {receiver.Spec{Format: "thehive", Auth: receiver.Auth{User: "u", Secret: secret("s3cret-token")}}, []string{"auth.user"}},
		"a secret of two lines":          {receiver.Spec{Format: "thehive", Auth: receiver.Auth{Secret: secret("s3cret-token\nX-Evil: 1")}}, []string{"auth.secret"}},
		"a prefix of two lines": {custom(receiver.Request{}, func(s *receiver.Spec) {
			s.Auth = receiver.Auth{Scheme: "header", Header: "x-key", Prefix: "a\n", Secret: secret("s3cret-token")}
		}), []string{"auth.prefix"}},
		"a header that is ours": {custom(receiver.Request{}, func(s *receiver.Spec) {
			s.Auth = receiver.Auth{Scheme: "header", Header: "Host", Secret: secret("s3cret-token")}
		}), []string{"auth.header"}},
		"a secret without a scheme":       {custom(receiver.Request{}, func(s *receiver.Spec) { s.Auth = token }), []string{"auth.scheme"}},
		"an unknown scheme":               {custom(receiver.Request{}, func(s *receiver.Spec) { s.Auth = receiver.Auth{Scheme: "digest", Secret: secret("s3cret-token")} }), []string{"auth.scheme"}},
		"params missing, unknown, formed": {receiver.Spec{Format: "pagerduty", Auth: token, Params: map[string]string{"form": "x"}}, []string{"params.form", "params.from"}},
		"a param of another form":         {receiver.Spec{Format: "slack-api", Auth: token, Params: map[string]string{"channel": "#general"}}, []string{"params.channel"}},
		"a per-status param without one":  {receiver.Spec{Format: "zendesk", Auth: receiver.Auth{User: "u", Secret: secret("s3cret-token")}, Params: map[string]string{"status": "open", "status_done": "open"}}, []string{"params.status", "params.status_done"}},
		"a param of two lines":            {receiver.Spec{Format: "pagerduty", Auth: token, Params: map[string]string{"from": "a@b.example\r\nX: 1"}}, []string{"params.from"}},
		"a template beside a preset":      {receiver.Spec{Format: "thehive", Auth: token, Template: receiver.Template{Text: "plain"}}, []string{"template"}},
		"custom without a template":       {receiver.Spec{Format: "custom"}, []string{"template.requests"}},
		"a bad name":                      {custom(receiver.Request{Name: "a.b"}), []string{"template.requests[0].name"}},
		"a method":                        {custom(receiver.Request{Method: "DELETE"}), []string{"template.requests[0].method"}},
		"a GET that takes nothing":        {custom(receiver.Request{Method: "GET"}), []string{"template.requests[0].method"}},
		"no such status":                  {custom(receiver.Request{When: []string{"final", "done"}}), []string{"template.requests[0].when[1]"}},
		"no such param needed":            {custom(receiver.Request{Needs: []string{"x"}}), []string{"template.requests[0].needs[0]"}},
		"another host":                    {custom(receiver.Request{URL: "https://evil.example/"}), []string{"template.requests[0].url"}},
		"another host without a scheme":   {custom(receiver.Request{URL: "//evil.example/"}), []string{"template.requests[0].url"}},
		"a host by a value":               {custom(receiver.Request{URL: "{reference}/x"}, reference), []string{"template.requests[0].url"}},
		"up the path":                     {custom(receiver.Request{URL: "/a/../b"}), []string{"template.requests[0].url"}},
		"a fragment":                      {custom(receiver.Request{URL: "/a#b"}), []string{"template.requests[0].url"}},
		"foreign words in a URL":          {custom(receiver.Request{URL: "/a?x={description}"}), []string{"template.requests[0].url"}},
		"foreign words in a header":       {custom(receiver.Request{Headers: map[string]string{"x-a": "{account}"}}), []string{"template.requests[0].headers.x-a"}},
		"a reference without a form":      {custom(receiver.Request{URL: "/a/{reference}"}), []string{"template.requests[0].url"}},
		"our headers":                     {custom(receiver.Request{Headers: map[string]string{"Authorization": "x", "webhook-id": "x", "a b": "x"}}), []string{"template.requests[0].headers.Authorization", "template.requests[0].headers", "template.requests[0].headers.webhook-id"}},
		"a header of two lines":           {custom(receiver.Request{Headers: map[string]string{"x-a": "a\r\nb: c"}}), []string{"template.requests[0].headers.x-a"}},
		"a placeholder that is none":      {custom(receiver.Request{Body: tree(map[string]any{"a": []any{"x", "{accuont}"}})}), []string{"template.requests[0].body.a[1]"}},
		"a param that is none":            {custom(receiver.Request{Body: tree("{param:x}")}), []string{"template.requests[0].body"}},
		"a brace alone":                   {custom(receiver.Request{Body: tree("a { b")}), []string{"template.requests[0].body"}},
		"a brace too much":                {custom(receiver.Request{Body: tree("a } b")}), []string{"template.requests[0].body"}},
		"a placeholder as key":            {custom(receiver.Request{Body: tree(map[string]any{"{account}": "x"})}), []string{"template.requests[0].body"}},
		"each of something else":          {custom(receiver.Request{Body: tree([]any{map[string]any{"{each step}": "x"}})}), []string{"template.requests[0].body[0]"}},
		"each outside of a list":          {custom(receiver.Request{Body: tree(map[string]any{"{each line}": "{line}"})}), []string{"template.requests[0].body"}},
		"a line outside of its turn":      {custom(receiver.Request{Body: tree("{line}")}), []string{"template.requests[0].body"}},
		"something taken by nobody":       {custom(receiver.Request{Body: tree("{taken:id}")}), []string{"template.requests[0].body"}},
		"something taken in vain":         {custom(receiver.Request{Take: map[string]receiver.Take{"id": {From: "id", Form: "x"}}}), []string{"template.requests[0].take"}},
		"taken without a form":            {custom(receiver.Request{Take: map[string]receiver.Take{"id": {From: "id"}}}), []string{"template.requests[0].take.id"}},
		"a bad form":                      {custom(receiver.Request{}, func(s *receiver.Spec) { s.Template.Reference = "(" }), []string{"template.reference"}},
		"an unknown markup":               {custom(receiver.Request{}, func(s *receiver.Spec) { s.Template.Text = "bbcode" }), []string{"template.text"}},
		"a limit":                         {custom(receiver.Request{}, func(s *receiver.Spec) { s.Template.Limit = 10 }), []string{"template.limit"}},
		"a hint for a sentence":           {custom(receiver.Request{}, func(s *receiver.Spec) { s.Template.Hints = map[string]string{"not found": "x"} }), []string{"template.hints"}},
		"expecting no members":            {custom(receiver.Request{Expect: tree("ok")}), []string{"template.requests[0].expect"}},
		"nine requests": {custom(receiver.Request{}, func(s *receiver.Spec) {
			for _, n := range strings.Split("abcdefgh", "") {
				s.Template.Requests = append(s.Template.Requests, receiver.Request{Name: n})
			}
		}), []string{"template.requests"}},
		"one name twice": {custom(receiver.Request{}, func(s *receiver.Spec) {
			s.Template.Requests = append(s.Template.Requests, s.Template.Requests[0])
		}), []string{"template.requests[1].name"}},
	} {
		f, faults := New(c.spec)
		if f != nil {
			t.Errorf("%s: a format was made", name)
		}
		var got []string
		for _, one := range faults {
			got = append(got, one.Path)
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: %v; want %v", name, faults, c.want)
		}
		if strings.Contains(faults.Error(), "s3cret") {
			t.Errorf("%s: a secret is in %v", name, faults)
		}
	}
	for _, plain := range []string{"", receiver.Standard, receiver.CloudEvents} {
		if f, faults := New(receiver.Spec{Format: plain}); f != nil || len(faults) > 0 {
			t.Errorf("%q: %v, %v", plain, f, faults)
		}
	}
}
