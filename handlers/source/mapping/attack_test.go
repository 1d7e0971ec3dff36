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
)

func nest(n int, open, middle, close string) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(close, n)
}

func fill(n int, one string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]"
}

func TestAttacksAreRefusedOrStopped(t *testing.T) {
	text := strings.Repeat("a", 250<<10)
	big := `{"s":"` + text + `","u":"jdoe"}`
	list := `{"l":` + fill(45_000, `"ab"`) + `,"s":"` + strings.Repeat("a", 10_000) + `","u":"jdoe"}`
	objects := `{"l":` + fill(9_000, `{"a":{}}`) + `,"s":"` + strings.Repeat("a", 10_000) + `","u":"jdoe"}`
	for _, c := range []struct {
		name, source, body string
	}{
		{"doubling by bind", nest(20, "cel.bind(x, ", "body.s", ", x + x)"), big},
		{"doubling by map", nest(20, "[", "body.s", "].map(x, x + x)[0]"), big},
		{"doubling by a chain of map", `[body.s]` + strings.Repeat(".map(x, x + x)", 40), big},
		{"doubling by optMap", "optional.of(body.s)" + strings.Repeat(".optMap(x, x + x)", 40), big},
		{"doubling by optFlatMap", "optional.of(body.s)" + strings.Repeat(".optFlatMap(x, optional.of(x + x))", 30), big},
		{"doubling within the limit", `[[body.s].map(x, x + x)[0]].map(y, y + y + y + y)`, big},
		{"doubling of dyn", `[[dyn(body.s)].map(x, x + x)[0]].map(y, y + y + y + y)`, big},
		{"a sum in a sum", "size(body.s" + strings.Repeat(" + body.s", 180) + ") > 0", big},
		{"lists doubled", `[[body.l].map(x, x + x + x + x)[0]].map(y, y + y + y + y + y + y)`, list},
		{"lists of lists compared", `[body.l].map(x, ` + fill(14, "x") + `).map(y, ` + fill(14, "y") + `) == [body.l].map(x, ` + fill(14, "x") + `).map(y, ` + fill(14, "y") + `)`, objects},
		{"the body compared", strings.TrimSuffix(strings.Repeat("body == body && ", 100), "&& "), objects},
		{"the body compared in a loop", `body.l.all(x, body == body)`, objects},
		{"the body compared in a list", fill(150, "body") + " == " + fill(150, "body"), objects},
		{"the body compared inside an optional", `optional.of(body) == optional.of(body)`, objects},
		{"the body looked for", `body.l.exists(x, body in body.l)`, objects},
		{"the body as a key", `body in {"a": 1}`, objects},
		{"nested loops", `body.l.all(a, body.l.all(b, body.l.all(c, true)))`, list},
		{"two loops", `body.l.all(a, body.l.all(b, a == b))`, list},
		{"two loops that make lists", `body.l.map(a, body.l.map(b, a))`, list},
		{"two loops that make texts", `body.l.map(a, body.l.map(b, body.s + a))`, list},
		{"two loops that make objects", `body.l.map(a, body.l.map(b, {"a": a, "b": b, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}))`, list},
		{"loops beside each other", strings.TrimSuffix(strings.Repeat("body.l.all(a, true) && ", 80), "&& "), list},
		{"a loop of large objects", `body.l.map(a, {` + func() string {
			var b []string
			for i := range 180 {
				b = append(b, fmt.Sprintf("%d:a", i))
			}
			return strings.Join(b, ",")
		}() + `})`, list},
		{"a loop of large lists", `body.l.map(a, ` + fill(300, "a") + `)`, list},
		{"a loop of a large list of constants", `body.l.map(a, ` + fill(300, "1") + `)`, list},
		{"a long source", "body.s == '" + text[:2400] + "'", big},
		{"a deep source", nest(200, "(", "body.s", ")"), big},
		{"a huge pattern", `body.s.matches("` + strings.Repeat("a{1000}", 100) + `")`, big},
		{"a slow pattern", `body.s.matches("(a?){100}a{100}$")`, big},
		{"a slow pattern in a loop", `body.l.all(x, body.s.matches("(a?){50}(a|aa)+$"))`, list},
		{"a pattern that would go back", `body.s.matches("^(a+)+$")`, big},
		{"capture of a long text", `capture(body.s, "(.*)(.*)(.*)(.*)(.*)b") == null`, big},
		{"capture in a loop", `body.l.all(x, capture(body.s, "(a*)*b") == null)`, list},
		{"a pattern of the body", `body.s.matches(body.u)`, big},
		{"a pattern made", `body.s.matches("a" + "b")`, big},
		{"matches over and over", `body.l.all(x, body.s.matches("b"))`, list},
		{"replace that grows", `body.s.replace("a", "` + text[:1500] + `")`, big},
		{"replace of nothing", `body.s.replace("", "` + text[:1500] + `")`, big},
		{"replace in a loop", `body.l.map(x, body.s.replace("a", "bbbbbbbbbb"))`, list},
		{"join with a long separator", `body.l.join("` + text[:1500] + `")`, list},
		{"join in a loop", `body.l.map(x, body.l.join(","))`, list},
		{"split to letters", `body.s.split("")`, big},
		{"split in a loop", `body.l.map(x, body.s.split("a"))`, list},
		{"format", `"%1000000d".format([1])`, big},
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
		{"accounts of a long list", `login(body.l)`, list},
		{"array in array", nest(100, "array([", "body", "])"), objects},
		{"a text as a number", `int(body.s) > 0`, `{"s":"` + strings.Repeat("9", 200_000) + `"}`},
		{"a text as a time", `timestamp(body.s) > now`, big},
		{"a text as a duration", `duration(body.s) > duration("1s")`, `{"s":"` + strings.Repeat("1h", 100_000) + `"}`},
		{"lists of lists given", nest(60, "[", "body.l", ", body.l]"), list},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m *mapping.Mapping
			var err error
			spent, made := measure(func() {
				m, err = mapping.Compile(mapping.Program{Map: sender.Map{Account: sender.Expressions{"=" + c.source, "$.u"}}}, schemas.NewValidator())
			})
			t.Logf("compiled in %v with %d KiB", spent, made>>10)
			if err != nil {
				m, err = mapping.Compile(mapping.Program{Map: sender.Map{Account: sender.Expressions{"$.u"}},
					RefuseWhen: []sender.Rule{{If: c.source, Why: "no"}}}, schemas.NewValidator())
			}
			if err != nil {
				t.Logf("refused at start: %s", err.Error()[:min(len(err.Error()), 150)])
				return
			}
			var p *schemas.Problem
			var r mapping.Result
			_, decoded := measure(func() { _, _ = mapping.Decode([]byte(c.body)) })
			spent, made = measure(func() { r, p = m.Map(t.Context(), mapping.Input{Body: []byte(c.body), Now: now}) })
			t.Logf("%v, %d KiB, of it %d for the body: %.200v %v", spent, made>>10, decoded>>10, p, len(r.Requests))
		})
	}
}

// measure gives how long something takes and how much memory it takes in all, freed or not.
func measure(do func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	do()
	spent := time.Since(start)
	runtime.ReadMemStats(&after)
	return spent, after.TotalAlloc - before.TotalAlloc
}
