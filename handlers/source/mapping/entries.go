package mapping

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/resetd/resetd/schemas"
)

// entry is one thing that a delivery reports.
type entry struct {
	value   any
	pointer string // where it stands in the body; empty if it is the body, or stands nowhere in it
}

// entries gives what foreach gives: an object is a list of one, and a list that is there and empty gives nothing.
func (m *Mapping) entries(s *scope) ([]entry, *schemas.Problem) {
	if len(m.foreach) == 0 {
		return []entry{{value: s.body}}, nil
	}
	empty := false
	var tried looked
	for i, e := range m.foreach {
		v, found, err := e.eval(s)
		if err != nil {
			return nil, failed(fmt.Sprintf("map.foreach[%d]", i), "", err)
		}
		list, isList := v.([]any)
		switch {
		case found && isList && len(list) == 0:
			empty = true
			continue
		case !found || absent(v):
			tried.add(e, v, found)
			continue
		case !isList:
			return []entry{{v, place(e, s.body, v)}}, nil
		case len(list) > schemas.MaxRequests:
			return nil, tooManyEntries()
		}
		return places(e, s.body, list), nil
	}
	if empty {
		return nil, nil
	}
	f := faults{}
	f.add("", &fault{kind: kindNoAccount, detail: "the list of foreach: looked for " + tried.String()})
	return nil, f.problem()
}

// place gives the pointer of a value that an expression gave.
func place(e *expression, body, v any) string {
	if e.path != nil {
		return e.path.pointer()
	}
	return pointersOf(body)[identity(v)]
}

// places makes entries of a list that an expression gave.
func places(e *expression, body any, list []any) []entry {
	out := make([]entry, len(list))
	if e.path == nil {
		where := pointersOf(body)
		for i, v := range list {
			out[i] = entry{v, where[identity(v)]}
		}
		return out
	}
	at := e.path.pointer()
	for i, v := range list {
		out[i] = entry{v, at + "/" + strconv.Itoa(i)}
	}
	return out
}

// pointersOf gives the pointers of all objects of a body by their identity, so that one that an expression picked is found
// again.
func pointersOf(body any) map[uintptr]string {
	out := map[uintptr]string{}
	var walk func(v any, at string)
	walk = func(v any, at string) {
		switch v := v.(type) {
		case map[string]any:
			out[identity(v)] = at
			for name, e := range v {
				walk(e, at+"/"+escapePointer(name))
			}
		case []any:
			for i, e := range v {
				walk(e, at+"/"+strconv.Itoa(i))
			}
		}
	}
	walk(body, "")
	return out
}

func identity(v any) uintptr {
	if object, ok := v.(map[string]any); ok {
		return reflect.ValueOf(object).Pointer()
	}
	return 0
}
