package mapping_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

func TestFaultsOfAMappingAreNamedByTheirPlace(t *testing.T) {
	with := func(m sender.Map) mapping.Program {
		if m.Account == nil {
			m.Account = sender.Expressions{"$.u"}
		}
		return mapping.Program{Map: m}
	}
	rule := func(s string) []sender.Rule { return []sender.Rule{{If: "true", Why: "x"}, {If: s, Why: "x"}} }
	x := func(s ...string) sender.Expressions { return s }
	for _, c := range []struct {
		program mapping.Program
		want    string
	}{
		{mapping.Program{}, "map.account: it is missing"},
		{with(sender.Map{Account: x("$.u", "jdoe")}), "map.account[1]: it is the same for each delivery"},
		{with(sender.Map{Account: x(`="jdoe"`)}), "map.account[0]: it does not look at the body"},
		{with(sender.Map{Account: x(`=login("jdoe")`)}), "map.account[0]: it does not look at the body"},
		{with(sender.Map{Account: x(`=headers["x-user"]`)}), "map.account[0]: it looks at a header"},
		{with(sender.Map{ForEach: x(`=[headers]`)}), "map.foreach[0]: it looks at a header"},
		{with(sender.Map{OccurredAt: x(`=now`)}), "map.occurred_at[0]: it looks at the clock"},
		{with(sender.Map{OccurredAt: x(`2026-11-28T07:00:00Z`)}), "map.occurred_at[0]: it is the same for each delivery"},
		{with(sender.Map{Account: x("")}), "map.account[0]: it is empty"},
		{with(sender.Map{Account: x("$.u", "=body.")}), "map.account[1]: line 1, column"},
		{with(sender.Map{Account: x("=bdy.u")}), "map.account[0]: line 1, column 1: undeclared reference to 'bdy'"},
		{with(sender.Map{Account: x("=lowr(body.u)")}), "undeclared reference to 'lowr'"},
		{with(sender.Map{Account: x("=body.u == 1")}), "map.account[0]: it gives bool; it must give string or dyn"},
		{with(sender.Map{Account: x("=size(body.u)", "=body.u > 1 ? b'a' : b'b'")}), "map.account[1]: it gives bytes"},
		{with(sender.Map{Reference: x(`={"a": body.u}`)}), "map.reference[0]: it gives map(string, dyn)"},
		{with(sender.Map{OccurredAt: x(`=body.u == "x"`)}), "map.occurred_at[0]: it gives bool"},
		{with(sender.Map{ForEach: x(`=size(body.u)`)}), "map.foreach[0]: it gives int; it must give list(dyn)"},
		{with(sender.Map{ForEach: x("fixed")}), "map.foreach[0]: it is the same"},
		{with(sender.Map{ForEach: x("=item.x")}), "map.foreach[0]: line 1, column 1: undeclared reference to 'item'"},
		{with(sender.Map{SkipWhen: rule("item.k")}), "map.skip_when[1].if: it gives dyn; it must give bool"},
		{mapping.Program{Map: sender.Map{Account: x("$.u")}, IgnoreWhen: rule("item.k == 1")}, "ignore_when[1].if: line 1, column 1: undeclared reference to 'item'"},
		{mapping.Program{Map: sender.Map{Account: x("$.u")}, RefuseWhen: rule("")}, "refuse_when[1].if: it is missing"},
		{mapping.Program{Map: sender.Map{Account: x("$.u")}, RefuseWhen: []sender.Rule{{If: "true"}}}, "refuse_when[0].why: it is missing"},
		{with(sender.Map{AccountType: "upn"}), "map.account_type: there is no type"},
		{with(sender.Map{Mode: "lock"}), "map.mode: there is no mode"},
		{with(sender.Map{Account: x("$.a..b")}), "map.account[0]: a name is missing"},
		{with(sender.Map{Account: x("$.a.")}), "map.account[0]: a name is missing"},
		{with(sender.Map{Account: x("$a")}), "map.account[0]: a path is"},
		{with(sender.Map{Account: x("$bodyx")}), "map.account[0]: a path is"},
		{with(sender.Map{Account: x("$.a[*].b")}), "map.account[0]: brackets hold"},
		{with(sender.Map{Account: x("$.a[-1]")}), "map.account[0]: brackets hold"},
		{with(sender.Map{Account: x("$.a[01]")}), "map.account[0]: brackets hold"},
		{with(sender.Map{Account: x("$.a[1")}), "map.account[0]: brackets hold"},
		{with(sender.Map{Account: x("$.a[99999999999999999999]")}), "map.account[0]: brackets hold"},
		{with(sender.Map{Account: x(`$["a`)}), "map.account[0]: a name in brackets is not ended"},
		{with(sender.Map{Account: x(`$["a"`)}), "map.account[0]: a name in brackets is written"},
		{with(sender.Map{Account: x("$.a b")}), "map.account[0]: the name \"a b\" has the character ' '"},
		{with(sender.Map{Account: x("$" + strings.Repeat(".a", 33))}), "map.account[0]: it has more than 32 steps"},
		{with(sender.Map{Account: x(strings.Split(strings.Repeat("$.u ", 17), " ")[:17]...)}), "map.account: it has 17 alternatives"},
		{with(sender.Map{Account: x(`=body.u.matches("(")`)}), "map.account[0]: line 1, column 16: the pattern is no RE2"},
		{with(sender.Map{Account: x(`=capture(body.u, "a(?=b)")`)}), "the pattern is no RE2"},
		{with(sender.Map{Account: x(`=google.protobuf.StringValue{value: body.u}`)}), "map.account[0]: line 1"},
		{with(sender.Map{Account: x(`=google.protobuf.Value{string_value: body.u}`)}), "objects of named types are not made here"},
		{with(sender.Map{Account: x(`=body.u.filter(x, timestamp("yesterday") < now)`)}), "map.account[0]: "},
	} {
		_, err := mapping.Compile(c.program, schemas.NewValidator())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	if _, err := mapping.Compile(with(sender.Map{}), nil); err == nil {
		t.Error("no validator was taken")
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, err := mapping.Compile(mapping.Program{Map: sender.Map{Account: sender.Expressions{"jdoe", "=x"}, Reference: sender.Expressions{"$a"}},
		IgnoreWhen: []sender.Rule{{If: "1", Why: "x"}}}, schemas.NewValidator())
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Fatal(err)
	}
}

func TestPaths(t *testing.T) {
	const body = `{"a":{"b":[{"c":"one"},"two"],"x.y":"three","@t":"four","d-e_f":"five","\"":"six","[0]":"seven","ü":"eight"},"$id":"nine","body":"ten","n":null,"a:b":"eleven"}`
	for path, want := range map[string]string{
		"$.a.b[0].c": "one", "$.a.b[1]": "two", `$.a["x.y"]`: "three", "$.a.@t": "four", "$.a.d-e_f": "five", `$.a["\""]`: "six", `$.a["[0]"]`: "seven",
		"$.a.ü": "eight", "$.$id": "nine", "$.body": "ten", "$body.body": "ten", `$["body"]`: "ten", "$.a:b": "eleven",
		"$.a.b[2]": "", "$.a.b.c": "", "$.a[0]": "", "$.n.x": "", "$.A.b": "", `$.a["b"][0]["c"]`: "one", "$body.a.b[0].c": "one",
	} {
		m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{path}}})
		r, p := m.Map(t.Context(), mapping.Input{Body: []byte(body), Now: now})
		if want == "" && p != nil && strings.Contains(p.Errors[0].Detail, "(missing)") {
			continue
		}
		if p != nil || accountsOf(r) != "user_name:"+want {
			t.Errorf("%s: %s %+v", path, accountsOf(r), p)
		}
	}
}

func TestAMappingIsSafeForConcurrentUse(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"=body.l.filter(x, x.k != 1)"},
		Account: sender.Expressions{`=capture(item.u, "^([a-z]+)")`, "$.u"}, SkipWhen: []sender.Rule{{If: "item.k == 2", Why: "x"}}}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				r, p := m.Map(t.Context(), mapping.Input{Body: []byte(`{"l":[{"u":"jdoe1"},{"u":"a","k":1},{"u":"b","k":2}]}`), Now: now})
				if p != nil && p.Status != 503 || p == nil && accountsOf(r) != "user_name:jdoe" {
					t.Errorf("%+v %+v", r, p)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkMap(b *testing.B) {
	m := compile(b, mapping.Program{Map: sender.Map{Account: sender.Expressions{"=body.?data.?user.?name", "$.user"}, Reference: sender.Expressions{"$.id"},
		Description: sender.Expressions{`=body.rule.name + ": " + lower(body.rule.severity)`}, OccurredAt: sender.Expressions{"$.at"}},
		IgnoreWhen: []sender.Rule{{If: `body.status == "resolved"`, Why: "over"}}})
	body := []byte(`{"user":"jdoe","id":4711,"rule":{"name":"Phish","severity":"HIGH"},"at":1795849200,"status":"firing"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, p := m.Map(b.Context(), mapping.Input{Body: body, Now: now}); p != nil {
			b.Fatal(p)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, mapping.Program{Map: sender.Map{Account: sender.Expressions{"=body.?data.?user.?name", "$.user"}}, IgnoreWhen: []sender.Rule{{If: `body.status == "resolved"`, Why: "over"}}})
	}
}
