package format

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// node is a body, or a part of one, whose texts have been read.
type node struct {
	literal any // what is there as it is: nil, true, a number
	text    text
	list    []*node
	members map[string]*node
	// each repeats its one node in a list: line or result.
	each string
	one  *node
}

// eachForm is the key of an entry that stands for many.
var eachForm = regexp.MustCompile(`^\{each ([a-z]+)\}$`)

// tree reads the tree of a body. Every fault is reported with its path below base; scope is what {each …} adds to the
// names that may stand there.
func (c *compiler) tree(base string, v any, scope []string) *node {
	switch v := v.(type) {
	case string:
		read := c.text(base, v, append(slices.Clone(bodyNames), scope...))
		if len(read.names()) == 0 {
			return &node{literal: read.put(nil)}
		}
		return &node{text: read}
	case []any:
		n := &node{list: []*node{}}
		for i, item := range v {
			n.list = append(n.list, c.entry(fmt.Sprintf("%s[%d]", base, i), item, scope))
		}
		return n
	case map[string]any:
		n := &node{members: map[string]*node{}}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.ContainsAny(key, "{}") {
				c.fault(base, "the key %s holds a brace; only texts hold placeholders, and {each …} is the only key of an entry of a list", clip(line(key), 40))
				continue
			}
			n.members[key] = c.tree(base+"."+key, v[key], scope)
		}
		return n
	}
	return &node{literal: v}
}

// entry reads an entry of a list, which may stand for many.
func (c *compiler) entry(base string, v any, scope []string) *node {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return c.tree(base, v, scope)
	}
	for key, below := range m {
		form := eachForm.FindStringSubmatch(key)
		if form == nil {
			continue
		}
		names, known := eachNames[form[1]]
		if !known {
			c.fault(base, "there is no {each %s}; use {each line} for the lines of the details, or {each result} for the systems", form[1])
		}
		return &node{each: form[1], one: c.tree(base, below, append(slices.Clone(scope), names...))}
	}
	return c.tree(base, v, scope)
}

// render gives the value of a node, and false if it is to be left out: it consists of one placeholder without a value.
func (t *Talk) render(n *node, scope map[string]value) (any, bool) {
	switch {
	case n.text != nil:
		if name, ok := n.text.sole(); ok {
			v := t.value(name, scope)
			if v.data != nil {
				return v.data, true
			}
			return v.text, !v.none
		}
		return n.text.put(func(name string) string { return t.value(name, scope).text }), true
	case n.members != nil:
		out := map[string]any{}
		for key, member := range n.members {
			if v, ok := t.render(member, scope); ok {
				out[key] = v
			}
		}
		return out, true
	case n.list != nil:
		return t.renderList(n.list, scope), true
	}
	return n.literal, true
}

func (t *Talk) renderList(nodes []*node, scope map[string]value) []any {
	out := []any{}
	for _, n := range nodes {
		if n.each == "" {
			if v, ok := t.render(n, scope); ok {
				out = append(out, v)
			}
			continue
		}
		for _, turn := range t.f.scopes(n.each, t.event) {
			all := maps.Clone(scope)
			if all == nil {
				all = map[string]value{}
			}
			maps.Copy(all, turn)
			if v, ok := t.render(n.one, all); ok {
				out = append(out, v)
			}
		}
	}
	return out
}

// value looks a name up: in a turn of {each …}, among the params, among what was taken from answers, or in the event.
func (t *Talk) value(name string, scope map[string]value) value {
	if v, ok := scope[name]; ok {
		return v
	}
	if param, ok := strings.CutPrefix(name, "param:"); ok {
		text, there := t.f.param(param, string(t.event.Task.Status))
		return value{text: text, bare: true, none: !there}
	}
	if taken, ok := strings.CutPrefix(name, "taken:"); ok {
		text, there := t.taken[taken]
		return value{text: text, bare: true, none: !there}
	}
	return t.values[name]
}
