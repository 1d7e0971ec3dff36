package format

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
)

// Event is what a callback tells.
type Event struct {
	ID   string // the callback's id, the same for every attempt
	Task schemas.Task
	// Public is how others reach resetd, without a slash at its end.
	Public string
}

// taskURL is where the task is to be looked at.
func (e Event) taskURL() string { return e.Public + "/v1/tasks/" + e.Task.ID }

// kind is the type of the event, as in resetd's own message.
func (e Event) kind() string { return e.Task.Message().Type }

// value is what takes the place of a placeholder.
type value struct {
	text string
	// data, if it is not nil, is what stands in a body where the placeholder stands alone.
	data any
	// bare is for what must not be escaped: it was written by the operator, or holds no letters of others.
	bare bool
	// none means that there is no value: what consists of it alone is left out.
	none bool
}

// The names of the values. In an address (URL and headers) only those may stand that are one word.
var (
	addressNames = []string{"reference", "task_id", "event_id", "source", "status", "version"}
	bodyNames    = append([]string{"task_url", "type", "status_text", "final", "code", "account", "account_type", "description",
		"systems", "summary", "details", "results", "time", "time_unix", "dry_run", "task"}, addressNames...)
	eachNames = map[string][]string{
		"line":   {"line"},
		"result": {"system", "result_status", "result_code", "result_text"},
	}
)

// values gives everything that a body may hold, escaped for the receiver. What is data for machines, the tree {task} and
// the list {results}, is not escaped.
func (f *Format) values(e Event) map[string]value {
	t := e.Task.Message().Data
	out := map[string]value{
		"task_id":      {text: t.ID},
		"task_url":     {text: e.taskURL(), bare: true},
		"event_id":     {text: e.ID},
		"type":         {text: e.kind()},
		"status":       {text: string(t.Status)},
		"status_text":  {text: words[t.Status]},
		"final":        truth(t.Status.Final()),
		"code":         {text: string(t.Code), none: t.Code == ""},
		"account":      {text: line(t.Request.Account.Value)},
		"account_type": {text: string(t.Request.Account.Type)},
		"reference":    {text: line(t.Request.Reference), none: t.Request.Reference == ""},
		"description":  {text: line(t.Request.Description), none: t.Request.Description == ""},
		"source":       {text: t.Source},
		"summary":      {text: summary(t)},
		"time":         {text: t.UpdatedAt.UTC().Format(time.RFC3339Nano), bare: true},
		"time_unix":    number(float64(t.UpdatedAt.UnixMilli()) / 1000),
		"version":      number(int64(t.Version)),
		"dry_run":      truth(t.Request.DryRun),
		"task":         {data: t, bare: true},
		"results":      {data: results(t), bare: true},
	}
	for name, v := range out {
		if !v.bare {
			v.text = f.markup.escape(v.text)
			out[name] = v
		}
	}
	var systems []string
	for _, n := range t.Enforcements {
		systems = append(systems, f.markup.escape(line(n.System)))
	}
	out["systems"] = value{text: strings.Join(systems, ", "), data: list(systems)}
	out["details"] = value{text: strings.Join(f.lines(t), "\n")}
	return out
}

// lines gives the details, escaped and no longer than the receiver takes.
func (f *Format) lines(t schemas.Task) []string {
	all := details(t)
	const more = "… cut here; the task has the rest"
	limit := f.limit - utf8.RuneCountInString(more) - 1
	var out []string
	for i, l := range all {
		one := f.markup.escape(l)
		if n := utf8.RuneCountInString(one) + 1; n <= limit {
			out, limit = append(out, one), limit-n
			continue
		}
		if i == 0 {
			out = append(out, f.markup.cut(l, limit))
		}
		return append(out, more)
	}
	return out
}

// scopes gives the values of each turn of {each line} or {each result}.
func (f *Format) scopes(each string, e Event) []map[string]value {
	var out []map[string]value
	if each == "line" {
		for _, l := range f.lines(e.Task) {
			out = append(out, map[string]value{"line": {text: l}})
		}
		return out
	}
	for _, n := range e.Task.Enforcements {
		out = append(out, map[string]value{
			"system":        {text: f.markup.escape(line(n.System))},
			"result_status": {text: f.markup.escape(string(n.Status))},
			"result_code":   {text: f.markup.escape(string(n.Code)), none: n.Code == ""},
			"result_text":   {text: f.markup.escape(result(n))},
		})
	}
	return out
}

// results is the list of the systems' results as data.
func results(t schemas.Task) any {
	out := make([]any, len(t.Enforcements))
	for i, n := range t.Enforcements {
		one := map[string]any{"system": n.System, "status": n.Status}
		if n.Code != "" {
			one["code"] = n.Code
		}
		if n.Detail != "" {
			one["detail"] = line(n.Detail)
		}
		out[i] = one
	}
	return out
}

func list(texts []string) any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

func truth(b bool) value { return value{text: strconv.FormatBool(b), data: b, bare: true} }

func number(n any) value {
	text := ""
	switch n := n.(type) {
	case float64:
		text = strconv.FormatFloat(n, 'f', -1, 64)
	case int64:
		text = strconv.FormatInt(n, 10)
	}
	return value{text: text, data: n, bare: true}
}
