package mapping_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

var now = time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)

func compile(t testing.TB, p mapping.Program) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Compile(p, schemas.NewValidator())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func accountsOf(r mapping.Result) string {
	var out []string
	for _, q := range r.Requests {
		out = append(out, string(q.Account.Type)+":"+q.Account.Value)
	}
	return strings.Join(out, " ")
}

func TestAccounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		account sender.Expressions
		as      string
		body    string
		want    string // accounts, or a part of the problem's first error behind !
	}{
		{"a path", sender.Expressions{"$.user"}, "", `{"user":"jdoe"}`, "user_name:jdoe"},
		{"a nested path", sender.Expressions{"$.data[1].u"}, "", `{"data":[1,{"u":"jdoe@example.com"}]}`, "login_or_email:jdoe@example.com"},
		{"a quoted name", sender.Expressions{`$["a.b"].c`}, "", `{"a.b":{"c":"EXAMPLE\\jdoe"}}`, `down_level_logon_name:EXAMPLE\jdoe`},
		{"white space", sender.Expressions{"$.user"}, "", `{"user":" jdoe\n"}`, "user_name:jdoe"},
		{"the next alternative", sender.Expressions{"$.a", "$.b", "=body.c", "$.d"}, "", `{"a":null,"b":" ","d":"jdoe"}`, "user_name:jdoe"},
		{"through a null", sender.Expressions{"=body.a.b", "$.d"}, "", `{"a":null,"d":"jdoe"}`, "user_name:jdoe"},
		{"through a text", sender.Expressions{"=body.a.b", "$.d"}, "", `{"a":"x","d":"jdoe"}`, "user_name:jdoe"},
		{"through a list", sender.Expressions{"=body.a.b", "$.d"}, "", `{"a":["x"],"d":"jdoe"}`, "user_name:jdoe"},
		{"an index that is not there", sender.Expressions{"=body.a[3]", "$.d"}, "", `{"a":["x"],"d":"jdoe"}`, "user_name:jdoe"},
		{"a function of null", sender.Expressions{"=body.a.lowerAscii()", "$.d"}, "", `{"a":null,"d":"jdoe"}`, "user_name:jdoe"},
		{"an optional", sender.Expressions{`=body.?a.?b`, "$.d"}, "", `{"a":{},"d":"jdoe"}`, "user_name:jdoe"},
		{"an optional through null", sender.Expressions{`=body.?a.?b.orValue("")`, "$.d"}, "", `{"a":null,"d":"jdoe"}`, "user_name:jdoe"},
		{"typed", sender.Expressions{"=login(body.u)"}, "", `{"u":"jdoe"}`, "login:jdoe"},
		{"typed and absent", sender.Expressions{"=login(body.u)", "=user_name(body.?v)", "=email(body.w)"}, "", `{"u":"","w":"jdoe@example.com"}`, "email:jdoe@example.com"},
		{"down level", sender.Expressions{"=down_level(body.d, body.n)"}, "", `{"d":"EXAMPLE","n":"jdoe"}`, `down_level_logon_name:EXAMPLE\jdoe`},
		{"account_type", sender.Expressions{"$.u"}, "login", `{"u":"jdoe@example.com"}`, "login:jdoe@example.com"},
		{"a number with account_type", sender.Expressions{"$.u"}, "object_id", `{"u":9007199254740993}`, "object_id:9007199254740993"},
		{"a number", sender.Expressions{"$.u"}, "", `{"u":9007199254740993}`, "!it is a number"},
		{"an object", sender.Expressions{"$.u"}, "", `{"u":{"type":"sid","value":"S-1-5-21-1-2-3-1104"}}`, "sid:S-1-5-21-1-2-3-1104"},
		{"a list", sender.Expressions{"$.u"}, "", `{"u":["a@example.com",null,"b@example.com","a@example.com"]}`, "login_or_email:a@example.com login_or_email:b@example.com"},
		{"arn", sender.Expressions{"=arn_user(body.arn)"}, "", `{"arn":"arn:aws:iam::123456789012:user/path/jdoe"}`, "user_name:jdoe"},
		{"arn of a role", sender.Expressions{"=arn_user(body.arn)"}, "", `{"arn":"arn:aws:iam::123456789012:role/x"}`, "!roles"},
		{"address", sender.Expressions{"=address(body.u)"}, "", `{"u":"Jane Doe <jdoe@example.com>"}`, "login_or_email:jdoe@example.com"},
		{"capture", sender.Expressions{`=capture(body.t, "user=([a-z]+)")`}, "", `{"t":"x user=jdoe y"}`, "user_name:jdoe"},
		{"matches", sender.Expressions{`=body.t.matches("^j") ? body.t : null`}, "", `{"t":"jdoe"}`, "user_name:jdoe"},
		{"parse_json", sender.Expressions{`=parse_json(body.t).u`}, "", `{"t":"{\"u\":\"jdoe\"}"}`, "user_name:jdoe"},
		{"filter", sender.Expressions{`=body.t.filter(x, x.k == "User").map(x, x.v)`}, "", `{"t":[{"k":"Host","v":"h"},{"k":"User","v":"jdoe"}]}`, "user_name:jdoe"},
		{"nothing", sender.Expressions{"$.a.b", "$.c", "$.d", "=body.x"}, "", `{"c":" ","d":null}`, "!looked for $.a.b (missing), $.c (empty), $.d (null), =body.x (gave nothing)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := compile(t, mapping.Program{Map: sender.Map{Account: c.account, AccountType: c.as}})
			r, p := m.Map(t.Context(), mapping.Input{Body: []byte(c.body), Header: http.Header{}, Now: now})
			if part, refused := strings.CutPrefix(c.want, "!"); refused {
				if p == nil || p.Status != 422 || len(p.Errors) == 0 || !strings.Contains(p.Errors[0].Detail, part) {
					t.Fatalf("%+v %+v", r, p)
				}
				return
			}
			if p != nil || accountsOf(r) != c.want {
				t.Fatalf("%s, %+v", accountsOf(r), p)
			}
		})
	}
}

func TestForEach(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{
		ForEach: sender.Expressions{"$.alerts", "=body.?events.orValue(null)"}, Account: sender.Expressions{"$.user"},
		Reference: sender.Expressions{"$.id", "$body.id"}, SkipWhen: []sender.Rule{{If: `item.status == "resolved"`, Why: "resolved"}},
		Actor: sender.Expressions{"=item.by"}, OccurredAt: sender.Expressions{"$.at"},
	}})
	r, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"id":9,"alerts":[{"user":"a","id":"x","by":"me"},{"status":"resolved"},{"user":"b","at":"2026-11-28 07:00:00"}]}`), Now: now})
	if p != nil {
		t.Fatalf("%+v", p)
	}
	if len(r.Requests) != 2 || r.Pointers[1] != "/alerts/2" || r.Skipped != 1 || r.Requests[0].Reference != "x" || r.Requests[1].Reference != "9" ||
		r.Actors[0] != "me" || r.Actors[1] != "" || !r.Requests[1].OccurredAt.Equal(now) {
		t.Fatalf("%+v", r)
	}
}
