package mapping_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// A member that is not there is a null, and null equals nothing but null: whether a rule holds must not hang on whether
// the sender leaves a member out or sends it empty.
func TestRulesOnWhatIsNotThere(t *testing.T) {
	for rule, want := range map[string]string{ // for the bodies of the loop below: h holds, - does not, ! fails
		`body.k == "User"`:                           "h----",
		`body.k != "User"`:                           "-hhhh",
		`!(body.k == "User")`:                        "-hhhh",
		`body.k == null`:                             "--hh-",
		`body.k != null`:                             "hh--h",
		`!has(body.k)`:                               "--h--",
		`body.k in ["User", "Group"]`:                "h----",
		`!(body.k in ["User", "Group"])`:             "-hhhh",
		`body.k > 3`:                                 "!!--h",
		`!(body.k > 3)`:                              "!!hh-",
		`body.k <= 7`:                                "!!--h",
		`body.a.b.c == "x"`:                          "-----",
		`body.a.b.c != "x"`:                          "hhhhh",
		`body.k == "User" || body.missing == true`:   "h----",
		`body.k == "User" && body.missing != true`:   "h----",
		`body.?k.orValue("User") == "User"`:          "h-h--",
		`size(body.k) == 0`:                          "--hh!",
		`size(body.l) > 1`:                           "-----",
		`"x" in body.k`:                              "!!--!",
		`body.k.startsWith("U")`:                     "h---!",
		`body.l.exists(x, x == 1)`:                   "-----",
		`body.a == body.b`:                           "-----",
		`body.a != body.b`:                           "hhhhh",
		`body.k.contains(body.a)`:                    "-----",
		`lower(body.k) == "user"`:                    "h----",
		`headers["x-event"] == "ping"`:               "-----",
		`body.k && true`:                             "!!--!",
		`body.n || body.u == "jdoe"`:                 "hhhhh",
		`!(body.a && true)`:                          "hhhhh",
		`body.k.x ? true : body.u == "jdoe"`:         "hhhhh",
		`[body].filter(b, b.k).size() == 0`:          "!!hh!",
		`[body].all(b, b.a.b)`:                       "-----",
		`[body].exists(b, b.a.b)`:                    "-----",
		`type(body.k) == string`:                     "hh---",
		`body.k.matches("^Us")`:                      "h---!",
		`= body.k == "User"`:                         "h----",
		`body.k == "User" ? true : body.k == "Host"`: "hh---",
	} {
		var got strings.Builder
		for _, body := range []string{`{"k":"User","u":"jdoe"}`, `{"k":"Host","u":"jdoe"}`, `{"u":"jdoe"}`, `{"k":null,"u":"jdoe"}`, `{"k":7,"u":"jdoe"}`} {
			m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{"$.u"}}, RefuseWhen: []sender.Rule{{If: rule, Why: "because"}}})
			_, p := m.Map(t.Context(), mapping.Input{Body: []byte(body), Now: now})
			switch {
			case p == nil:
				got.WriteString("-")
			case p.Type == "urn:resetd:problem:refused_by_rule":
				got.WriteString("h")
			default:
				got.WriteString("!")
			}
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", rule, got.String(), want)
		}
	}
}

func TestIgnoredRefusedAndSkipped(t *testing.T) {
	m := compile(t, mapping.Program{
		Map: sender.Map{ForEach: sender.Expressions{"$.l"}, Account: sender.Expressions{"$.u"},
			SkipWhen: []sender.Rule{{If: `item.k == "Host"`, Why: "a host is no account"}, {If: `item.k == body.own`, Why: "own"}}},
		IgnoreWhen: []sender.Rule{{If: `headers["x-event"] == "ping"`, Why: "a ping"}, {If: `body.status == "resolved"`, Why: "it is over"}},
		RefuseWhen: []sender.Rule{{If: `body.env == "test"`, Why: "the test environment resets nobody"}},
	})
	for _, c := range []struct {
		body, event string
		ignored     string
		accounts    string
		pointers    []string
		skipped     int
		problem     string
	}{
		{`{"l":[{"u":"a"},{"u":"h","k":"Host"},{"u":"b"}]}`, "", "", "user_name:a user_name:b", []string{"/l/0", "/l/2"}, 1, ""},
		{`{"l":{"u":"a"}}`, "", "", "user_name:a", []string{"/l"}, 0, ""},
		{`{"l":[{"u":["a","b"]},{"u":"A"}]}`, "", "", "user_name:a user_name:b", []string{"/l/0", "/l/0"}, 0, ""},
		{`{"l":[]}`, "", "", "", nil, 0, ""},
		{`{"l":[{"u":"h","k":"Host"}]}`, "", "a host is no account", "", nil, 1, ""},
		{`{"l":[{"u":"x","k":"o"}],"own":"o"}`, "", "own", "", nil, 1, ""},
		{`{"l":[{"u":"a"}],"status":"resolved"}`, "", "it is over", "", nil, 0, ""},
		{`{"env":"test","l":[]}`, "", "", "", nil, 0, "refused_by_rule"},
		{`{"env":"test"}`, "ping", "a ping", "", nil, 0, ""},
		{`{}`, "", "", "", nil, 0, "no_account"},
		{`{"l":null}`, "", "", "", nil, 0, "no_account"},
		{`{"l":[{"u":"a"},{"u":""}]}`, "", "", "", nil, 0, "no_account"},
		{`{"l":[{"u":"a"},{"u":"HOST$"}]}`, "", "", "", nil, 0, "uncertain_account"},
		{`{"l":["a"]}`, "", "", "", nil, 0, "no_account"},
		{`{"l":[null]}`, "", "", "", nil, 0, "no_account"},
		{`{"l":"a"}`, "", "", "", nil, 0, "no_account"},
	} {
		r, p := m.Map(t.Context(), mapping.Input{Body: []byte(c.body), Header: http.Header{"X-Event": {c.event}}, Now: now})
		got := ""
		if p != nil {
			got = strings.TrimPrefix(p.Type, "urn:resetd:problem:")
		}
		if got != c.problem || r.Ignored != c.ignored || accountsOf(r) != c.accounts || !slices.Equal(r.Pointers, c.pointers) || r.Skipped != c.skipped || len(r.Actors) != len(r.Requests) {
			t.Errorf("%s: %+v %+v", c.body, r, p)
		}
		if p != nil && len(r.Requests) > 0 {
			t.Errorf("%s: requests beside a problem", c.body)
		}
	}
}

func TestEntriesOfExpressionsAreFoundAgain(t *testing.T) {
	for source, want := range map[string]string{
		`=body.a.b.filter(e, e.k == 1)`:                 "/a~1x/b/1 /a~1x/b/2",
		`=body["a/x"].b.filter(e, e.k == 1)`:            "/a~1x/b/1 /a~1x/b/2",
		`=parse_json(body.t)`:                           " ",
		`=[body["a/x"].b[0], {"u": "z"}]`:               "/a~1x/b/0 ",
		`=array(body["a/x"].b[2])`:                      "/a~1x/b/2",
		`=body["a/x"].b[2]`:                             "/a~1x/b/2",
		`=body["a/x"].b`:                                "/a~1x/b/0 /a~1x/b/1 /a~1x/b/2",
		`$["a/x"].b`:                                    "/a~1x/b/0 /a~1x/b/1 /a~1x/b/2",
		`$["a/x"].b[1]`:                                 "/a~1x/b/1",
		`=body["a/x"].b.map(e, {"u": e.u, "whole": e})`: "  ",
	} {
		m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{source}, Account: sender.Expressions{"$.u", "$.user"}}})
		r, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"a/x":{"b":[{"u":"p"},{"u":"q","k":1},{"u":"r","k":1}]},"t":"[{\"u\":\"s\"},{\"user\":\"t\"}]"}`), Now: now})
		if strings.HasPrefix(source, "=body.a.b") {
			if p == nil || p.Type != "urn:resetd:problem:no_account" || !strings.Contains(p.Errors[0].Detail, "foreach: looked for =body.a.b") {
				t.Errorf("%s: %+v %+v", source, r, p)
			}
			continue
		}
		if got := strings.Join(r.Pointers, " "); p != nil || got != want {
			t.Errorf("%s: %q %+v", source, got, p)
		}
	}
}

func TestProblemsNameEachEntry(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$.l"},
		Account: sender.Expressions{"$.u.name", "$.password", `=item.x + "y"`}, OccurredAt: sender.Expressions{"$.at"}}})
	long := strings.Repeat("ü", 100) + "$"
	list := []string{`{"u":{"name":"ok"}}`, `{"u":{"name":" "},"password":null}`, `{"u":{"name":"` + long + `"}}`, `{"password":"hunter2$"}`, `{"u":{"name":"a"},"at":"hunter2"}`, `{"x":1}`}
	for range 30 {
		list = append(list, `{}`)
	}
	r, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"l":[` + strings.Join(list, ",") + `]}`), Now: now})
	if p == nil || p.Status != 422 || p.Type != "urn:resetd:problem:no_account" || len(p.Errors) != 20 || len(r.Requests) != 0 || !strings.Contains(p.Detail, "15 more") {
		t.Fatalf("%+v %+v", r, p)
	}
	for i, want := range []schemas.FieldError{
		{Pointer: "/l/1", Detail: `looked for $.u.name (empty), $.password (null), =item.x + "y" (gave nothing)`},
		{Pointer: "/l/2", Detail: `map.account[0] ($.u.name) "` + strings.Repeat("ü", 63) + `…": it is the account of a machine or a managed service: its name ends with $`},
		{Pointer: "/l/3", Detail: `map.account[1] ($.password): it is the account of a machine or a managed service: its name ends with $`},
		{Pointer: "/l/4", Detail: `map.occurred_at[0] ($.at): this is no time; RFC 3339 (2026-11-22T07:00:00Z) and seconds or milliseconds since 1970 are read`},
		{Pointer: "/l/5", Detail: `map.account[2]: a value has another type than is taken; use string(…), int(…), lower(…) or ?. before it`},
		{Pointer: "/l/6", Detail: `looked for $.u.name (missing), $.password (missing), =item.x + "y" (gave nothing)`},
	} {
		if p.Errors[i] != want {
			t.Errorf("%d: %+v\nwant %+v", i, p.Errors[i], want)
		}
	}
}

func TestTooManyEntries(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$"}, Account: sender.Expressions{"$"}}})
	for body, want := range map[string]string{
		fill(1000, `"same"`):   "",
		fill(1001, `"same"`):   "too_many_entries",
		"[" + names(600) + "]": "",
		"[[" + names(600) + "],[" + strings.ReplaceAll(names(600), "u", "v") + "]]": "too_many_entries",
	} {
		r, p := m.Map(t.Context(), mapping.Input{Body: []byte(body), Now: now})
		if (want == "") != (p == nil) || p != nil && p.Type != "urn:resetd:problem:"+want {
			t.Errorf("%.30s: %d %+v", body, len(r.Requests), p)
		}
	}
}

func names(n int) string {
	var b []string
	for i := range n {
		b = append(b, `"u`+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("z", i/26)+`"`)
	}
	return strings.Join(b, ",")
}

// What the caller takes back, or a machine that is too slow, is no fault of the delivery: it may be sent again.
func TestTimeThatEndsIsNoFaultOfTheDelivery(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{"=body.u"}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, p := m.Map(ctx, mapping.Input{Body: []byte(`{"u":"jdoe"}`), Now: now}); p == nil || p.Status != 503 || p.RetryAfter == 0 || p.Type != "urn:resetd:problem:mapping_timed_out" {
		t.Fatalf("%+v %+v", r, p)
	}
}

func TestCostlyExpressionsAreNamed(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{"$.u"}, Description: sender.Expressions{`="x"`, `=string(body.l.all(a, body.l.all(b, true)))`},
		Reference: sender.Expressions{`=body.l.all(a, body.l.all(b, true)) ? "x" : ""`}}})
	_, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"u":"jdoe","l":` + fill(1000, "1") + `}`), Now: now})
	if p == nil || p.Status != 422 || p.Type != "urn:resetd:problem:mapping_too_costly" || !strings.HasPrefix(p.Errors[0].Detail, "map.reference[0]: ") {
		t.Fatalf("%+v", p)
	}
}
