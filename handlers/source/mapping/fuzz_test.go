package mapping_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// FuzzMap feeds bodies to mappings of several kinds. Whatever comes in, there is no panic, the work is bounded, and what is
// asked for is valid.
func FuzzMap(f *testing.F) {
	programs := []*mapping.Mapping{
		compile(f, mapping.Program{Map: sender.Map{Account: sender.Expressions{"$.user", "$.a.b[0].c", "$"}, Reference: sender.Expressions{"$.id"},
			Description: sender.Expressions{"$.title", "$"}, OccurredAt: sender.Expressions{"$.at"}, Actor: sender.Expressions{"$.by"}}}),
		compile(f, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$.l", "$"}, Account: sender.Expressions{"$.user", "$"}, AccountType: "user_name",
			SkipWhen: []sender.Rule{{If: `item.k == "Host" || item.k in ["IP", "URL"]`, Why: "no account"}}}}),
		compile(f, mapping.Program{
			Map: sender.Map{ForEach: sender.Expressions{`=flatten(array(body.l).map(a, array(a.e))).filter(e, e.k != "Host")`, `=array(body)`},
				Account:     sender.Expressions{`=login(item.user)`, `=down_level(item.domain, item.user)`, `=arn_user(item.arn)`, `=address(item.mail)`, `=first(item.users)`, `=item`},
				Reference:   sender.Expressions{`=capture(item.text, "id=([0-9]+)")`, `=string(item.id)`},
				Description: sender.Expressions{`=parse_json(item.text).title`, `=lower(item.title) + " " + trim(item.text)`},
				OccurredAt:  sender.Expressions{`=unix(item.at)`}, Actor: sender.Expressions{`=item.by.split("/")[1]`}},
			IgnoreWhen: []sender.Rule{{If: `body.status == "resolved" && size(body.l) > 0`, Why: "over"}},
			RefuseWhen: []sender.Rule{{If: `body.l == body.m || body.id > body.at || body.text.matches("^(a|b)+$")`, Why: "no"}}}),
	}
	for _, seed := range []string{
		`{"user":"jdoe","id":4711,"at":"2026-11-28T07:00:00Z","title":"Phish"}`, `{"a":{"b":[{"c":"EXAMPLE\\jdoe"}]}}`, `{"l":[{"user":"jdoe","k":"User"},{"k":"Host"}]}`,
		`{"l":[{"e":[{"user":"jdoe","at":1795849200,"text":"id=17"},{"arn":"arn:aws:iam::123456789012:user/jdoe"}]},{"e":null}]}`, `[]`, `null`, `"jdoe"`, `4711`,
		`{"users":["","jdoe"],"mail":"Jane <jdoe@example.com>","domain":"EXAMPLE","text":"{\"title\":\"x\"}"}`, `{"user":{"type":"sid","value":"S-1-5-21-1-2-3-1104"}}`, `{`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	v := schemas.NewValidator()
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, m := range programs {
			r, p := m.Map(t.Context(), mapping.Input{Body: body, Header: http.Header{"X-Event": {"alert"}}, Now: now})
			if p != nil {
				if len(r.Requests) > 0 || p.Status != 400 && p.Status != 413 && p.Status != 422 && p.Status != 503 {
					t.Fatalf("%d: %+v beside %d requests", i, p, len(r.Requests))
				}
				for _, e := range p.Errors {
					if p.Status == 422 && !utf8.ValidString(e.Detail) {
						t.Fatalf("%d: %q", i, e.Detail)
					}
				}
				continue
			}
			if len(r.Requests) != len(r.Pointers) || len(r.Requests) != len(r.Actors) || len(r.Requests) > schemas.MaxRequests {
				t.Fatalf("%d: %+v", i, r)
			}
			for j, q := range r.Requests {
				if bad := v.Check(&q); bad != nil {
					t.Fatalf("%d: %+v: %+v", i, q, bad)
				}
				if strings.ContainsAny(q.Account.Value, "*<>\n") || len(r.Actors[j]) > 1024 {
					t.Fatalf("%d: %+v %q", i, q, r.Actors[j])
				}
			}
		}
	})
}

// FuzzCompile feeds paths and expressions to the compiler.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"$.a.b", `$["x"][0]`, "=body.a", "=login(item.b)", `=capture(body.a, "(x)")`, "jdoe", "$body", `=[body.a].map(x, x + x)`, "=body.?a[?0].orValue(1)"} {
		f.Add(seed, `{"a":{"b":["x"]}}`)
	}
	f.Fuzz(func(t *testing.T, source, body string) {
		m, err := mapping.Compile(mapping.Program{Map: sender.Map{Account: sender.Expressions{source, "$.u"}, Reference: sender.Expressions{source},
			SkipWhen: []sender.Rule{{If: source, Why: "x"}}}}, schemas.NewValidator())
		if m, err = orWithoutRule(m, err, source); err != nil {
			return
		}
		bounded(t, 2*attackTime, 2*attackMemory, func() { m.Map(t.Context(), mapping.Input{Body: []byte(body), Now: now}) })
	})
}

func orWithoutRule(m *mapping.Mapping, err error, source string) (*mapping.Mapping, error) {
	if err == nil {
		return m, nil
	}
	return mapping.Compile(mapping.Program{Map: sender.Map{Account: sender.Expressions{source, "$.u"}}}, schemas.NewValidator())
}
