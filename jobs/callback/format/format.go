package format

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// defaultLimit is the length of {details} unless the template says otherwise.
const defaultLimit = 4000

// Format is a template that has been read: it turns events into requests. It is safe for concurrent use.
type Format struct {
	name        string
	auth        auth
	params      map[string]string
	perStatus   []string // params that are written once for each status
	reference   *regexp.Regexp
	referenceIs string
	markup      markup
	limit       int
	steps       []*step
	hints       map[string]string
}

// Templated tells whether a format is made of requests to a receiver's own API. The others are resetd's own message, and
// go to whatever URL the source is allowed.
func Templated(name string) bool {
	return name != "" && name != receiver.Standard && name != receiver.CloudEvents
}

// New reads what a source's callback says of its receiver. It gives every fault, with its path below the callback. For
// the formats that are no template there is nothing to be made of it: the Format is nil.
func New(s receiver.Spec) (*Format, receiver.Faults) {
	c := &compiler{spec: s, f: &Format{name: s.Format, params: map[string]string{}}}
	if !Templated(s.Format) {
		c.plain()
		return nil, c.faults
	}
	preset, ok := c.preset()
	if !ok {
		return nil, c.faults
	}
	c.auth(preset.Auth)
	c.params(preset.Params)
	c.template(preset.Template)
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return c.f, nil
}

// Name gives the name of the format.
func (f *Format) Name() string { return f.name }

// param gives a param's value for a status; false if it has none.
func (f *Format) param(name, status string) (string, bool) {
	if slices.Contains(f.perStatus, name) {
		name += "_" + status
	}
	v, ok := f.params[name]
	return v, ok
}

// compiler reads a description and collects what is wrong with it.
type compiler struct {
	spec     receiver.Spec
	f        *Format
	declared map[string]receiver.Param
	taken    []string // what the requests read so far take from answers
	faults   receiver.Faults
}

func (c *compiler) fault(path, format string, args ...any) {
	c.faults = append(c.faults, receiver.Fault{Path: path, Text: fmt.Sprintf(format, args...)})
}

// plain checks that nothing of a template is said where there is none.
func (c *compiler) plain() {
	what := "the format standard"
	if c.spec.Format == receiver.CloudEvents {
		what = "the format cloudevents"
	}
	const advice = "remove this, or choose another format"
	if c.spec.Auth != (receiver.Auth{}) {
		c.fault("auth", "%s is signed and takes no other proof; %s", what, advice)
	}
	if len(c.spec.Params) > 0 {
		c.fault("params", "%s has no params; %s", what, advice)
	}
	if said(c.spec.Template) {
		c.fault("template", "%s has no template; write format: custom with it, or remove it", what)
	}
}

func said(t receiver.Template) bool {
	return len(t.Requests) > 0 || t.Reference != "" || t.ReferenceIs != "" || t.Text != "" || t.Limit != 0 || len(t.Hints) > 0
}

// preset finds the preset of the format, or makes one of the custom template.
func (c *compiler) preset() (receiver.Preset, bool) {
	if c.spec.Format == receiver.Custom {
		if len(c.spec.Template.Requests) == 0 {
			c.fault("template.requests", "there is none; a custom format says which requests are to be made")
			return receiver.Preset{}, false
		}
		p := receiver.Preset{Template: c.spec.Template, Params: map[string]receiver.Param{}}
		for name := range c.spec.Params {
			p.Params[name] = receiver.Param{}
		}
		return p, true
	}
	p, err := load(c.spec.Format)
	if err != nil {
		c.fault("format", "%s", err)
		return p, false
	}
	if said(c.spec.Template) {
		c.fault("template", "the format %s has its own; write format: custom with a template, or remove it", c.spec.Format)
	}
	return p, true
}

// paramForm is the form of a param's name.
var paramForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// params takes the params that are given and the defaults of the others.
func (c *compiler) params(declared map[string]receiver.Param) {
	c.declared = declared
	known := map[string]receiver.Param{}
	for name, p := range declared {
		if !p.PerStatus {
			known[name] = p
			continue
		}
		c.f.perStatus = append(c.f.perStatus, name)
		for _, s := range schemas.TaskStatuses() {
			known[name+"_"+string(s)] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.spec.Params)) {
		v, p := c.spec.Params[name], known[name]
		switch _, ok := known[name]; {
		case !paramForm.MatchString(name):
			c.fault("params", "the name of a param has 1 to 40 of a–z, 0–9 and _, and begins with a letter")
		case !ok:
			c.fault("params."+name, "the format %s has no such param; %s", c.f.name, offer(declared))
		case v == "" || len(v) > 500 || line(v) != v:
			c.fault("params."+name, "this must be one line of 1 to 500 bytes")
		case p.Form != "" && !whole(p.Form).MatchString(v):
			c.fault("params."+name, "this has another form than it must: %s", p.About)
		default:
			c.f.params[name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := declared[name]
		if _, given := c.spec.Params[name]; given {
			continue
		}
		if p.Required {
			c.fault("params."+name, "this is missing: %s", p.About)
		}
		if p.Default != "" {
			c.f.params[name] = p.Default
		}
	}
}

// offer says which params there are.
func offer(declared map[string]receiver.Param) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if declared[name].PerStatus {
			name += "_successful (and so on for each status)"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "it has none, so remove this"
	}
	return "there are " + strings.Join(names, ", ")
}

// whole makes a form that holds for the whole of a text. The caller has checked that it can be read.
func whole(form string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + form + `)\z`) }
