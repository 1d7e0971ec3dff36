package format

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// maxRequests is how many requests one event may take.
const maxRequests = 8

// step is one request of a template, read.
type step struct {
	name    string
	method  string
	address address
	headers map[string]text
	body    *node
	when    []string
	needs   []string
	take    map[string]take
	expect  map[string]any
	said    []string
}

// question tells whether the request only asks, so that it may be repeated at will.
func (s *step) question() bool { return len(s.take) > 0 }

// wants tells whether the request is made for a status.
func (s *step) wants(status schemas.Status) bool {
	return len(s.when) == 0 || slices.Contains(s.when, string(status)) || status.Final() && slices.Contains(s.when, schemas.CallbackFinal)
}

// wordForm is the form of what a hint is looked up by.
var wordForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (c *compiler) template(t receiver.Template) {
	f := c.f
	f.referenceIs, f.hints, f.limit = t.ReferenceIs, t.Hints, t.Limit
	if f.limit == 0 {
		f.limit = defaultLimit
	}
	var known bool
	if f.markup, known = markups[t.Text]; !known {
		c.fault("template.text", "there is no such markup; use plain, html, slack, jira-wiki, servicenow or code")
	}
	if f.limit < 200 || f.limit > 30000 {
		c.fault("template.limit", "this must be from 200 to 30000 characters")
	}
	if t.Reference != "" {
		f.reference = c.form("template.reference", t.Reference)
	}
	for word := range t.Hints {
		if !wordForm.MatchString(word) {
			c.fault("template.hints", "a hint is found by a status (\"404\"), or by the one word that an answer says")
		}
	}
	if len(t.Requests) > maxRequests {
		c.fault("template.requests", "there are %d; at most %d are made for one event", len(t.Requests), maxRequests)
	}
	for i, r := range t.Requests {
		c.request("template.requests["+strconv.Itoa(i)+"]", r)
	}
	if n := len(f.steps); n > 0 && f.steps[n-1].question() {
		c.fault("template.requests["+strconv.Itoa(n-1)+"].take", "this is the last request, so nothing can use what it takes; add the request that does")
	}
}

// stepForm is the form of a request's name: it becomes part of a webhook-id.
var stepForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

func (c *compiler) request(base string, r receiver.Request) {
	s := &step{name: r.Name, method: r.Method, when: r.When, needs: r.Needs}
	if !stepForm.MatchString(s.name) {
		c.fault(base+".name", "a request has a name of 1 to 40 of a–z, 0–9, - and _ that begins with a letter")
	}
	if slices.ContainsFunc(c.f.steps, func(o *step) bool { return o.name == s.name }) {
		c.fault(base+".name", "another request has this name; give each its own")
	}
	for i, w := range r.When {
		if w != schemas.CallbackFinal && !slices.Contains(schemas.TaskStatuses(), schemas.Status(w)) {
			c.fault(base+".when["+strconv.Itoa(i)+"]", "this is no status of a task; use one, or final")
		}
	}
	for i, name := range r.Needs {
		if _, ok := c.declared[name]; !ok {
			c.fault(base+".needs["+strconv.Itoa(i)+"]", "there is no such param")
		}
	}
	c.takes(base, r, s)
	switch {
	case s.question() && s.method == "":
		s.method = "GET"
	case s.method == "":
		s.method = "POST"
	}
	if (s.method == "GET") != s.question() || !slices.Contains([]string{"GET", "POST", "PUT", "PATCH"}, s.method) {
		c.fault(base+".method", "this must be POST, PUT or PATCH; GET is for a request that takes something from the answer")
	}
	if s.question() && !r.Body.Empty() {
		c.fault(base+".body", "a GET has no body; remove it")
	}
	s.address = c.address(base+".url", r.URL, s)
	s.headers = c.headers(base+".headers", r, s)
	if !r.Body.Empty() {
		s.body = c.tree(base+".body", r.Body.Value, nil)
	}
	c.expect(base, r, s)
	for name := range r.Take {
		c.taken = append(c.taken, name)
	}
	c.f.steps = append(c.f.steps, s)
}

// ours are headers that a template must not set: they belong to the connection, to the log-in, or to the signature.
var ours = []string{"authorization", "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
	"upgrade", "expect", "proxy-authorization", "proxy-connection", "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature"}

func (c *compiler) headers(base string, r receiver.Request, s *step) map[string]text {
	out := map[string]text{}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			c.fault(base, "a header's name holds a character that has no place there")
			continue
		case slices.Contains(ours, strings.ToLower(name)):
			c.fault(base+"."+name, "this header is set by resetd itself; a log-in goes under auth")
			continue
		}
		t := c.addressText(base+"."+name, r.Headers[name])
		if probe := t.put(func(string) string { return "x" }); !httpguts.ValidHeaderFieldValue(probe) {
			c.fault(base+"."+name, "this holds a character that no header can carry")
		}
		if _, alone := t.sole(); !alone {
			c.present(base+"."+name, t, s)
		}
		out[name] = t
	}
	return out
}

// text reads a text in which only these names, params and what was taken may stand.
func (c *compiler) text(path, raw string, allowed []string) text {
	t, err := parseText(raw)
	if err != nil {
		c.fault(path, "%s", err)
		return nil
	}
	for _, name := range t.names() {
		param, isParam := strings.CutPrefix(name, "param:")
		taken, isTaken := strings.CutPrefix(name, "taken:")
		_, declared := c.declared[param]
		switch {
		case isParam && !declared:
			c.fault(path, "there is no param %s; add it under params", param)
		case isTaken && !slices.Contains(c.taken, taken):
			c.fault(path, "no request before this one takes %s from its answer", taken)
		case !isParam && !isTaken && !slices.Contains(allowed, name):
			c.fault(path, "there is no {%s} here; there are {%s}, and {param:NAME}", name, strings.Join(allowed, "}, {"))
		}
	}
	return t
}

// addressText reads a text of an address, where no name may stand that holds the words of strangers.
func (c *compiler) addressText(path, raw string) text { return c.text(path, raw, addressNames) }

// present refuses names in an address that may have no value when the request is made.
func (c *compiler) present(path string, t text, s *step) {
	for _, name := range t.names() {
		if name == "reference" && c.f.reference == nil {
			c.fault(path, "this uses {reference}, so template.reference must say which form it has")
		}
		param, ok := strings.CutPrefix(name, "param:")
		p := c.declared[param]
		custom := c.f.name == receiver.Custom // its params are all given
		if ok && !custom && (p.PerStatus || !p.Required && p.Default == "") && !slices.Contains(s.needs, param) {
			c.fault(path, "the param %s may be left out; name it under needs, so that the request is left out then", param)
		}
	}
}

func (c *compiler) form(path, form string) *regexp.Regexp {
	if _, err := regexp.Compile(form); err != nil {
		c.fault(path, "this is no regular expression (RE2)")
		return nil
	}
	return whole(form)
}
