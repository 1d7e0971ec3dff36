package format

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/schemas/receiver"
)

// take is one value that is taken from an answer.
type take struct {
	from []string
	form *regexp.Regexp
}

// maxTaken bounds a value taken from an answer.
const maxTaken = 256

func (c *compiler) takes(base string, r receiver.Request, s *step) {
	s.take = map[string]take{}
	for _, name := range slices.Sorted(maps.Keys(r.Take)) {
		t := r.Take[name]
		if !paramForm.MatchString(name) || slices.Contains(c.taken, name) {
			c.fault(base+".take", "a name has 1 to 40 of a–z, 0–9 and _, begins with a letter, and is taken once")
			continue
		}
		if t.From == "" || t.Form == "" {
			c.fault(base+".take."+name, "this needs from, where in the answer the value stands, and form, which it must have")
			continue
		}
		s.take[name] = take{strings.Split(t.From, "."), c.form(base+".take."+name+".form", t.Form)}
	}
	if s.question() && (len(r.When) > 0 || len(r.Needs) > 0) {
		c.fault(base+".take", "a question has neither when nor needs: it is asked whenever something behind it is to be done")
	}
}

func (c *compiler) expect(base string, r receiver.Request, s *step) {
	if r.Said != "" {
		s.said = strings.Split(r.Said, ".")
	}
	if r.Expect.Empty() {
		return
	}
	want, ok := r.Expect.Value.(map[string]any)
	if !ok {
		c.fault(base+".expect", "this must hold members and their values, such as {ok: true}, or {} for any object")
	}
	s.expect = want
}

// reads tells whether the answer of a request decides something beside its status.
func (s *step) reads() bool { return s.expect != nil || s.question() }

// hear reads the body of a 2xx answer: it takes what was asked for, and gives the sentence of a fault, or nothing.
func (t *Talk) hear(s *step, body []byte) string {
	if !s.reads() {
		return ""
	}
	var got any
	if err := json.Unmarshal(body, &got, jsontext.AllowInvalidUTF8(true)); err != nil {
		return "its answer is no JSON that can be read; see that callback.url is the API itself, and that no log-in page lies before it"
	}
	if s.expect != nil && !holds(got, s.expect) {
		return "its answer says that it was not done"
	}
	for _, name := range slices.Sorted(maps.Keys(s.take)) {
		v, ok := find(got, s.take[name].from)
		if !ok {
			return "it found nothing, or more than one, for what was asked"
		}
		text, ok := scalar(v)
		if !ok || len(text) > maxTaken || line(text) != text || !s.take[name].form.MatchString(text) {
			return "its answer holds something of another form than " + name + " must have"
		}
		t.taken[name] = text
	}
	return ""
}

// find follows a dotted path; * is the one entry of a list.
func find(v any, path []string) (any, bool) {
	for _, key := range path {
		switch in := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = in[key]; !ok {
				return nil, false
			}
		case []any:
			if key != "*" || len(in) != 1 {
				return nil, false
			}
			v = in[0]
		default:
			return nil, false
		}
	}
	return v, true
}

// maxExact is from where a number may have been rounded when it was read: as an id it would name something else.
const maxExact = 1 << 53

// scalar gives a text or a number as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), math.Abs(v) < maxExact
	}
	return "", false
}

// holds tells whether an answer has all that is wanted of it.
func holds(got any, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		in, ok := got.(map[string]any)
		for key, v := range want {
			ok = ok && holds(in[key], v)
		}
		return ok
	case int64:
		return got == float64(want)
	case []any:
		return false // nothing asks for lists
	}
	return got == want
}

// word gives the one word by which an answer names its fault, if it is one of those that have a hint. What else an answer
// says is not repeated: it may hold whatever we sent.
func (t *Talk) word(s *step, body []byte) string {
	word := strings.TrimSpace(string(body[:min(len(body), 256)]))
	if s.said != nil {
		var got any
		if json.Unmarshal(body, &got) != nil {
			return ""
		}
		v, _ := find(got, s.said)
		word, _ = scalar(v)
	}
	if _, known := t.f.hints[word]; known {
		return word
	}
	return ""
}

// Hint says what to do about an answer to a request; empty if there is no advice.
func (t *Talk) hint(s *step, status int, body []byte) string {
	if word := t.word(s, body); word != "" {
		return word + ": " + t.f.hints[word]
	}
	return t.f.hints[strconv.Itoa(status)]
}
