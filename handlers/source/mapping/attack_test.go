package mapping_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// The bounds of issue and README: an attack is refused at start, or ends within this time and this much memory.
const (
	attackTime   = 50 * time.Millisecond
	attackMemory = 16 << 20
	manyTime     = 250 * time.Millisecond // of a delivery with the most entries there may be
)

func nest(n int, open, middle, close string) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(close, n)
}

func fill(n int, one string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]"
}

func TestAttacksAreRefusedAtStart(t *testing.T) {
	for _, c := range []struct{ name, source string }{
		{"a sum in a sum", "size(body.s" + strings.Repeat(" + body.s", 180) + ") > 0"},
		{"doubling by bind", nest(20, "cel.bind(x, ", "body.s", ", x + x)")},
		{"doubling by map", nest(20, "[", "body.s", "].map(x, x + x)[0]")},
		{"doubling by a chain of map", `[body.s]` + strings.Repeat(".map(x, x + x)", 40)},
		{"doubling by optMap", "optional.of(body.s)" + strings.Repeat(".optMap(x, x + x)", 40)},
		{"doubling by optFlatMap", "optional.of(body.s)" + strings.Repeat(".optFlatMap(x, optional.of(x + x))", 30)},
		{"nested loops", `body.l.all(a, body.l.all(b, body.l.all(c, true)))`},
		{"a loop of large objects", `body.l.map(a, {` + func() string {
			var b []string
			for i := range 180 {
				b = append(b, fmt.Sprintf("%d:a", i))
			}
			return strings.Join(b, ",")
		}() + `})`},
		{"a loop of large lists", `body.l.map(a, ` + fill(300, "a") + `)`},
		{"a loop of a large list of constants", `body.l.map(a, ` + fill(300, "1") + `)`},
		{"a long source", "body.s == '" + strings.Repeat("a", 2400) + "'"},
		{"a deep source", nest(200, "(", "body.s", ")")},
		{"a huge pattern", `body.s.matches("` + strings.Repeat("a{1000}", 100) + `")`},
		{"a slow pattern", `body.s.matches("(a?){100}a{100}$")`},
		{"a pattern of the body", `body.s.matches(body.u)`},
		{"a pattern made", `body.s.matches("a" + "b")`},
		{"format", `"%1000000d".format([1])`},
		{"array in array", nest(100, "array([", "body", "])")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if compileAnywhere(c.source) != nil {
				t.Error("it compiles")
			}
		})
	}
}

func TestAttacksAreStopped(t *testing.T) {
	text := strings.Repeat("a", 250<<10)
	big := `{"s":"` + text + `","u":"jdoe"}`
	list := `{"l":` + fill(45_000, `"ab"`) + `,"s":"` + strings.Repeat("a", 10_000) + `","u":"jdoe"}`
	objects := `{"l":` + fill(9_000, `{"a":{}}`) + `,"s":"` + strings.Repeat("a", 10_000) + `","u":"jdoe"}`
	for _, c := range []struct{ name, source, body string }{
		{"doubling within the limit", `[[body.s].map(x, x + x)[0]].map(y, y + y + y + y)`, big},
		{"doubling of dyn", `[[dyn(body.s)].map(x, x + x)[0]].map(y, y + y + y + y)`, big},
		{"lists doubled", `[[body.l].map(x, x + x + x + x)[0]].map(y, y + y + y + y + y + y)`, list},
		{"lists of lists compared", `[body.l].map(x, ` + fill(14, "x") + `).map(y, ` + fill(14, "y") + `) == [body.l].map(x, ` + fill(14, "x") + `).map(y, ` + fill(14, "y") + `)`, objects},
		{"the body compared", strings.TrimSuffix(strings.Repeat("body == body && ", 100), "&& "), objects},
		{"the body compared in a loop", `body.l.all(x, body == body)`, objects},
		{"the body compared in a list", fill(150, "body") + " == " + fill(150, "body"), objects},
		{"the body compared inside an optional", `optional.of(body) == optional.of(body)`, objects},
		{"the body looked for", `body.l.exists(x, body in body.l)`, objects},
		{"the body as a key", `body in {"a": 1}`, objects},
		{"two loops", `body.l.all(a, body.l.all(b, a == b))`, list},
		{"two loops that make lists", `body.l.map(a, body.l.map(b, a))`, list},
		{"two loops that make texts", `body.l.map(a, body.l.map(b, body.s + a))`, list},
		{"two loops that make objects", `body.l.map(a, body.l.map(b, {"a": a, "b": b, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}))`, list},
		{"loops beside each other", strings.TrimSuffix(strings.Repeat("body.l.all(a, true) && ", 80), "&& "), list},
		{"a slow pattern in a loop", `body.l.all(x, body.s.matches("(a?){50}(a|aa)+$"))`, list},
		{"a pattern that would go back", `body.s.matches("^(a+)+$")`, big},
		{"capture of a long text", `capture(body.s, "(.*)(.*)(.*)(.*)(.*)b") == null`, big},
		{"capture in a loop", `body.l.all(x, capture(body.s, "(a*)*b") == null)`, list},
		{"matches over and over", `body.l.all(x, body.s.matches("b"))`, list},
		{"replace that grows", `body.s.replace("a", "` + text[:1500] + `")`, big},
		{"replace of nothing", `body.s.replace("", "` + text[:1500] + `")`, big},
		{"replace in a loop", `body.l.map(x, body.s.replace("a", "bbbbbbbbbb"))`, list},
		{"join with a long separator", `body.l.join("` + text[:1500] + `")`, list},
		{"join in a loop", `body.l.map(x, body.l.join(","))`, list},
		{"split to letters", `body.s.split("")`, big},
		{"split in a loop", `body.l.map(x, body.s.split("a"))`, list},
		{"substring in a loop", `body.l.all(x, body.s.substring(9000).size() > 0)`, list},
		{"size in a loop", `body.l.all(x, size(body.s) > 0)`, list},
		{"lower in a loop", `body.l.map(x, lower(body.s))`, list},
		{"upperAscii in a loop", `body.l.map(x, body.s.upperAscii())`, list},
		{"trim in a loop", `body.l.all(x, trim(body.s) != "")`, list},
		{"string in a loop", `body.l.all(x, string(body.s) != "")`, list},
		{"contains in a loop", `body.l.all(x, !body.s.contains("aaab"))`, list},
		{"indexOf in a loop", `body.l.all(x, body.s.indexOf("aaaaaaab") < 0)`, list},
		{"starts in a loop", `body.l.all(x, body.s.startsWith(body.s))`, list},
		{"less in a loop", `body.l.all(x, body.s <= body.s)`, list},
		{"parse_json that is deep", `parse_json(body.s)`, `{"s":"` + strings.Repeat("[", 100_000) + `"}`},
		{"parse_json of many objects", `parse_json(body.s)`, `{"s":"` + fill(40_000, `{}`) + `"}`},
		{"parse_json of many members", `body.l.map(x, parse_json(body.s))`, `{"l":` + fill(9_000, `1`) + `,"s":"` + fill(9_000, `{\"\":0}`) + `"}`},
		{"parse_json of a huge number", `parse_json(body.s)`, `{"s":"` + fill(9_000, `1e400000000`) + `"}`},
		{"parse_json of a long number", `parse_json(body.s)`, `{"s":"` + strings.Repeat("9", 100_000) + `"}`},
		{"parse_json in itself", nest(30, "parse_json(", "body.s", ")"), big},
		{"address of a long text", `address(body.s)`, `{"s":"` + strings.Repeat("(", 100_000) + `"}`},
		{"flatten in a loop", `body.l.map(x, flatten(body.l))`, list},
		{"flatten that doubles", `flatten([body.l, body.l, body.l])`, list},
		{"a slow pattern without a loop", strings.TrimSuffix(strings.Repeat(`body.s.matches("(a?){60}(a|aa)+$") || `, 40), "|| "), list},
		{"accounts of a long list", `login(body.l)`, list},
		{"a text as a number", `int(body.s) > 0`, `{"s":"` + strings.Repeat("9", 200_000) + `"}`},
		{"a text as a time", `timestamp(body.s) > now`, big},
		{"a text as a duration", `duration(body.s) > duration("1s")`, `{"s":"` + strings.Repeat("1h", 100_000) + `"}`},
		{"lists of lists given", nest(60, "[", "body.l", ", body.l]"), list},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := compileAnywhere(c.source)
			if m == nil {
				t.Fatal("it does not compile; move it to the other test")
			}
			bounded(t, attackTime, attackMemory, func() { m.Map(t.Context(), mapping.Input{Body: []byte(c.body), Now: now}) })
		})
	}
}

// compileAnywhere compiles an expression as an account or, if it cannot be one, as a rule; nil if neither is taken.
func compileAnywhere(source string) *mapping.Mapping {
	for _, p := range []mapping.Program{
		{Map: sender.Map{Account: sender.Expressions{"=" + source, "$.u"}}},
		{Map: sender.Map{Account: sender.Expressions{"$.u"}}, RefuseWhen: []sender.Rule{{If: source, Why: "no"}}},
	} {
		if m, err := mapping.Compile(p, schemas.NewValidator()); err == nil {
			return m
		}
	}
	return nil
}

// Many entries share one budget of steps and one of time.
func TestManyEntriesAreBounded(t *testing.T) {
	body := []byte(`{"s":"` + strings.Repeat("a", 100_000) + `","l":` + fill(1000, `{"u":"jdoe","n":[1,2,3,4,5,6,7,8,9]}`) + `}`)
	for _, source := range []string{
		`item.n.map(x, item.n.map(y, x + y)).size() > 0 ? item.u : ""`,
		`body.s.lowerAscii() != "" ? item.u : ""`,
		`item.n.filter(x, body.s.contains("b")).size() == 0 ? item.u : ""`,
		`parse_json("[" + body.s.substring(0, 9) + "]")`,
		`size(body.l.filter(e, e.u == item.u)) > 0 ? item.u : ""`,
	} {
		t.Run(source, func(t *testing.T) {
			e := sender.Expressions{"=" + source}
			m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$.l"}, Account: sender.Expressions{"=" + source, "$.u"},
				Reference: e, Description: e, Actor: e}})
			bounded(t, manyTime, 2*attackMemory, func() { m.Map(t.Context(), mapping.Input{Body: body, Now: now}) })
		})
	}
}

// Each entry may look at what is long in the body, so that the work must not grow with it.
func TestLongValuesInEachEntryAreBounded(t *testing.T) {
	e := sender.Expressions{"$body.s"}
	for name, s := range map[string]string{"a text": `"` + strings.Repeat("ab ", 80_000) + `"`, "white space": `"` + strings.Repeat(" ", 200_000) + `"`,
		"invisible": `"` + strings.Repeat("\u200b", 30_000) + `"`, "a list": fill(19_000, `"abcdef"`), "digits": `"` + strings.Repeat("9", 200_000) + `"`} {
		for _, account := range []sender.Expressions{e, {"$.u"}} {
			m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$.l"}, Account: account, Reference: e, Description: e, Actor: e}})
			body := []byte(`{"s":` + s + `,"l":` + fill(1000, `{"u":"jdoe"}`) + `}`)
			t.Run(name, func(t *testing.T) {
				bounded(t, manyTime, 2*attackMemory, func() { m.Map(t.Context(), mapping.Input{Body: body, Now: now}) })
			})
		}
	}
}

// What honest mappings of many entries need is far from the bounds.
func TestAThousandEntriesAreMapped(t *testing.T) {
	m := compile(t, mapping.Program{Map: sender.Map{
		ForEach:     sender.Expressions{`=body.alerts.filter(a, a.status == "firing")`},
		SkipWhen:    []sender.Rule{{If: `item.labels.kind.lowerAscii() == "host"`, Why: "a host"}},
		Account:     sender.Expressions{"=login(item.labels.?upn)", "=down_level(item.?labels.?domain, item.?labels.?user)", `=capture(item.text, "user=([a-z0-9.]+)")`},
		Reference:   sender.Expressions{`="alert " + string(item.id)`},
		Description: sender.Expressions{`=[item.title, item.?labels.?env.orValue("")].filter(t, t != "").join(" in ")`},
		OccurredAt:  sender.Expressions{"$.at"}, Actor: sender.Expressions{`=lower(item.?by)`},
	}})
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf(`{"id":%d,"status":"firing","labels":{"kind":"User","env":"prod"},"text":"x user=u%d y","title":"Phish","at":1795849200000}`, i, i))
	}
	body := []byte(`{"alerts":[` + strings.Join(list, ",") + `]}`)
	r, p := m.Map(t.Context(), mapping.Input{Body: body, Now: now})
	if p != nil {
		t.Fatalf("%+v", p)
	}
	if len(r.Requests) != 1000 || r.Requests[999].Account.Value != "u999" || r.Pointers[999] != "/alerts/999" || r.Requests[7].Description != "Phish in prod" {
		t.Fatalf("%d requests, %+v %v", len(r.Requests), r.Requests[len(r.Requests)-1], r.Pointers[len(r.Pointers)-1])
	}
}

// Bodies that are hostile themselves, whatever is done with them.
func TestHostileBodiesAreBounded(t *testing.T) {
	for name, body := range map[string]string{
		"objects of nothing":    fill(80_000, `{}`),
		"objects of one":        fill(35_000, `{"":0}`),
		"objects of nine":       fill(5_900, `{"":0,"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0}`)[:262_000],
		"nested objects":        fill(600, nest(60, `{"":`, "0", "}")),
		"nested lists":          fill(2_000, nest(60, "[", "0", "]")),
		"deep":                  nest(131_072, "[", "", "]"),
		"members":               `{` + members(20_000) + `}`,
		"numbers":               fill(131_000, "1"),
		"huge numbers":          fill(20_000, "1e400000000"),
		"a long number":         strings.Repeat("9", 262_144),
		"a long fraction":       "0." + strings.Repeat("9", 262_000),
		"escaped text":          `"` + strings.Repeat(`\u0041`, 43_000) + `"`,
		"the same key again":    `{` + strings.TrimSuffix(strings.Repeat(`"a":0,`, 43_000), ",") + `}`,
		"unfinished":            strings.Repeat(`{"a":[`, 43_000),
		"nulls":                 fill(52_000, "null"),
		"white space":           strings.Repeat(" ", 262_144),
		"objects of long names": fill(900, `{"`+strings.Repeat("n", 280)+`":0}`),
	} {
		t.Run(name, func(t *testing.T) {
			m := compile(t, mapping.Program{Map: sender.Map{ForEach: sender.Expressions{"$", "=body"}, Account: sender.Expressions{"$.u", "=item.u"}}})
			bounded(t, attackTime, attackMemory, func() {
				if _, p := m.Map(t.Context(), mapping.Input{Body: []byte(body), Now: now}); p == nil {
					t.Error("it was mapped")
				}
			})
		})
	}
}

func members(n int) string {
	var b []string
	for i := range n {
		b = append(b, fmt.Sprintf(`"%x":0`, i))
	}
	return strings.Join(b, ",")
}

// bounded runs something up to five times and fails unless it stays within a time once, as the machine may be busy, and
// within an amount of memory always.
func bounded(t testing.TB, within time.Duration, memory uint64, do func()) {
	t.Helper()
	best := time.Hour
	for range 5 {
		spent, made := measure(do)
		if made > memory {
			t.Fatalf("it took %d KiB, at most %d are allowed", made>>10, memory>>10)
		}
		if best = min(best, spent); best <= within/2 || raceEnabled {
			break
		}
	}
	t.Logf("%v", best)
	if best > within && !raceEnabled {
		t.Fatalf("it took %v, at most %v are allowed", best, within)
	}
}

// measure gives how long the processor is at something and how much memory it takes in all, freed or not.
func measure(do func()) (time.Duration, uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := spentTime()
	do()
	spent := spentTime() - start
	runtime.ReadMemStats(&after)
	return spent, after.TotalAlloc - before.TotalAlloc
}
