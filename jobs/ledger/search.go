package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
)

// effort says how far a search goes before it tries another way.
type effort struct {
	// Up to few accounts that match a substring are looked at one by one. Of more the matches are mostly dense enough among
	// the tasks to be found by walking through these, which is tried first, for budget tasks. Only if more than many
	// accounts match must the walk go on as long as it takes.
	few, many, budget int
	// arms is how many lists are merged by one statement. Of more lists, those with the newest entries are taken.
	arms int
}

var usualEffort = effort{few: 2000, many: 10000, budget: 5000, arms: 60}

// Search implements jobs.Ledger. A status, system or source that does not exist has no tasks. It gives schemas.ErrCursor
// for a cursor that is not from here.
func (l *Ledger) Search(ctx context.Context, q schemas.TaskQuery) (page schemas.TaskPage, err error) {
	w := walk{effort: l.effort, before: start(), from: math.MinInt64, want: pageSize(q.Limit) + 1}
	if w.before, err = parseCursor(q.Cursor); err != nil {
		return page, err
	}
	if !q.From.IsZero() {
		w.from = microsUp(q.From)
	}
	if to := microsUp(q.To); !q.To.IsZero() && to <= w.before.at {
		w.before = cursor{at: to, n: math.MinInt64}
	}
	// One transaction, so that the tasks are still what they were when they were found.
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return page, l.unread("tasks", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	w.tx, w.db = tx, l.db
	var hits []cursor
	some, err := w.plan(ctx, q)
	if some {
		hits, err = w.run(ctx)
	}
	if err != nil {
		return page, l.unread("tasks", err)
	}
	if len(hits) == w.want {
		hits = hits[:w.want-1]
		page.Next = hits[len(hits)-1].String()
	}
	if page.Tasks, err = l.documents(ctx, tx, hits); err != nil {
		return schemas.TaskPage{}, l.unread("tasks", err)
	}
	return page, nil
}

// documents reads the tasks that were found, in their order.
func (l *Ledger) documents(ctx context.Context, tx queryer, hits []cursor) ([]schemas.Task, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	place := make(map[int64]int, len(hits))
	ids := make([]int64, len(hits))
	for i, h := range hits {
		place[h.n], ids[i] = i, h.n
	}
	tasks := make([]schemas.Task, len(hits))
	return tasks, eachRow(ctx, tx, "SELECT n, doc FROM tasks WHERE n IN ("+numbers(ids, "", "")+")", func(r scanner) error {
		var n int64
		var doc string
		if err := r.Scan(&n, &doc); err != nil {
			return err
		}
		return decode(doc, &tasks[place[n]])
	})
}

// plan chooses the lists to walk: those of the accounts if few match, or else those of the facets that fit, or else the
// one list of everything. What the lists do not settle becomes a condition on each entry. It tells whether anything can
// match at all.
func (w *walk) plan(ctx context.Context, q schemas.TaskQuery) (some bool, err error) {
	status, known := statusNumbers[q.Status]
	if q.Status != "" && !known {
		return false, nil
	}
	var scopes []int64 // nil as long as there is no filter for them
	if q.Source != "" || q.System != "" {
		if scopes, err = w.scopes(ctx, q); err != nil || len(scopes) == 0 {
			return false, err
		}
	}
	if q.Q != "" {
		part := strings.ToLower(q.Q)
		if !utf8.ValidString(part) || strings.ContainsRune(part, 0) {
			return false, nil // no account holds it
		}
		accounts, err := w.db.accounts.find(ctx, w.tx, part, w.effort.many)
		if err != nil || len(accounts) == 0 {
			return false, err
		}
		if len(accounts) <= w.effort.many {
			w.instead = w.throughAccounts(accounts, scopes, status)
			w.budget = w.effort.budget
		}
		if len(accounts) <= w.effort.few {
			*w = *w.instead
			return true, nil
		}
		w.part = part
	}
	if q.Status == "" && scopes == nil {
		return true, nil
	}
	if scopes == nil {
		if scopes, err = w.scopes(ctx, q); err != nil {
			return false, err
		}
	}
	w.throughFacets(scopes, status)
	return len(w.keys) > 0, nil
}

// throughAccounts gives the walk through the lists of accounts, with the other filters as conditions; status 0 is any.
func (w *walk) throughAccounts(accounts, scopes []int64, status int64) *walk {
	a := *w
	a.list, a.keys = listAccounts, accounts
	if status != 0 {
		a.where += fmt.Sprintf(" AND (t.facet & %d) = %d", facetStatusMask, status)
	}
	if scopes != nil {
		a.where += fmt.Sprintf(" AND (t.facet >> %d) IN (%s)", facetStatusBits, numbers(scopes, "", ""))
	}
	return &a
}

// throughFacets makes it the walk through the lists of the facets of scopes; status 0 is any.
func (w *walk) throughFacets(scopes []int64, status int64) {
	w.list = listFacets
	for _, s := range scopes {
		if status != 0 {
			w.keys = append(w.keys, s<<facetStatusBits|status)
			continue
		}
		for _, n := range statusNumbers {
			w.keys = append(w.keys, s<<facetStatusBits|n)
		}
	}
	slices.Sort(w.keys)
}

// scopes gives those that fit the source and the system. There are few enough of them to look at all.
func (w *walk) scopes(ctx context.Context, q schemas.TaskQuery) (fit []int64, err error) {
	err = eachRow(ctx, w.tx, "SELECT id, source, systems FROM scopes", func(r scanner) error {
		var id int64
		var s scope
		if err := r.Scan(&id, &s.source, &s.systems); err != nil {
			return err
		}
		if (q.Source == "" || q.Source == s.source) && (q.System == "" || s.acts(q.System)) {
			fit = append(fit, id)
		}
		return nil
	})
	return fit, err
}
