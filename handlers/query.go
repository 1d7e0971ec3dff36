package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// query reads the query parameters of one call and gathers everything that is wrong with them.
type query struct {
	values url.Values
	bad    []schemas.FieldError
}

// readQuery parses the query strictly: a parameter that is not known, or comes twice, is refused.
func readQuery(r *http.Request, known ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.refuse("", "the query cannot be read; escape special characters with %")
	}
	for name, all := range values {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			q.refuse(name, "this parameter is unknown; this call takes none")
		case !slices.Contains(known, name):
			q.refuse(name, "this parameter is unknown; use "+strings.Join(known, ", "))
		case len(all) > 1:
			q.refuse(name, "this parameter comes more than once; send it once")
		}
	}
	slices.SortFunc(q.bad, func(a, b schemas.FieldError) int { return strings.Compare(a.Parameter, b.Parameter) })
	return q
}

func (q *query) refuse(name, detail string) {
	q.bad = append(q.bad, schemas.FieldError{Parameter: name, Detail: detail})
}

// check is nil when every parameter read so far is in order.
func (q *query) check() error {
	if len(q.bad) == 0 {
		return nil
	}
	return schemas.NewProblem(http.StatusUnprocessableEntity, "invalid_query", "The query is not valid",
		"Correct the parameters that are named and send it again.", q.bad...)
}

// text gives a parameter that may hold any printable text of at most max bytes.
func (q *query) text(name string, max int) string {
	v := q.values.Get(name)
	if err := schemas.CheckText(v, max, false); err != nil {
		q.refuse(name, err.Error())
	}
	return v
}

// label gives a parameter that names a source or a system.
func (q *query) label(name string) string {
	v := q.values.Get(name)
	if v != "" && !schemas.NameForm.MatchString(v) {
		q.refuse(name, "a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit")
	}
	return v
}

// oneOf gives a parameter that must be on a closed list.
func oneOf[T ~string](q *query, name string, list []T) T {
	v := T(q.values.Get(name))
	if v != "" && !slices.Contains(list, v) {
		names := make([]string, len(list))
		for i, l := range list {
			names[i] = string(l)
		}
		q.refuse(name, "use one of: "+strings.Join(names, ", "))
	}
	return v
}

// moment gives a parameter that is a time (RFC 3339); zero when it is not there.
func (q *query) moment(name string) time.Time {
	v := q.values.Get(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		q.refuse(name, "this must be a time such as 2026-11-22T07:00:00Z (RFC 3339), with + written as %2B")
	}
	return t
}

// number gives a parameter that is a whole number from 1 to max; zero when it is not there.
func (q *query) number(name string, max int) int {
	v := q.values.Get(name)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > max || v != strconv.Itoa(n) {
		q.refuse(name, "this must be a whole number from 1 to "+strconv.Itoa(max))
	}
	return n
}

// duration gives a parameter such as 30s or 1m, at most max; zero when it is not there.
func (q *query) duration(name string, max time.Duration) time.Duration {
	v := q.values.Get(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > max {
		q.refuse(name, "this must be a duration such as 30s, at most "+max.String())
		return 0
	}
	return d
}
