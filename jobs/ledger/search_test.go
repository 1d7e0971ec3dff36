package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// hasty efforts make a small population go every way that a search can go.
func hasty(t *testing.T) map[string]effort {
	t.Helper()
	return map[string]effort{
		"usual":                  usualEffort,
		"no list by account":     {few: 0, many: 0, budget: 1, arms: 60},
		"two arms":               {few: 2000, many: 10000, budget: 5000, arms: 2},
		"seven arms, no budget":  {few: 5, many: 10000, budget: 1, arms: 7},
		"three arms, all facets": {few: 0, many: 0, budget: 1, arms: 3},
		"a budget for some":      {few: 10, many: 60, budget: 40, arms: 200},
	}
}

// random makes a query that finds some of a population, or nothing.
func (p population) random(r *rand.Rand) schemas.TaskQuery {
	q := schemas.TaskQuery{Limit: []int{1, 3, 50, 500}[r.IntN(4)]}
	if r.IntN(2) == 0 {
		q.Status = append(schemas.TaskStatuses(), "no_such_status")[r.IntN(9)]
	}
	if r.IntN(3) == 0 {
		q.Source = append(p.sources, "nobody")[r.IntN(len(p.sources)+1)]
	}
	if r.IntN(3) == 0 {
		q.System = append(p.systems, "system")[r.IntN(len(p.systems)+1)]
	}
	if r.IntN(2) == 0 {
		q.Q = []string{"smith", "MÜLLER", "e", "00", "@", "example.org", "old.example.net", "jones0000", p.account(r.IntN(p.accounts)),
			"%", "_", `\`, "nobody", "h0", "\x00", "\xff", "@example.com@"}[r.IntN(17)]
	}
	year := func() time.Time { return epoch.Add(-time.Duration(r.Int64N(365 * 24 * int64(time.Hour)))) }
	if r.IntN(3) == 0 {
		q.From = year()
	}
	if r.IntN(3) == 0 {
		q.To = year()
	}
	return q
}

// naive is what a search means.
func naive(all []schemas.Task, q schemas.TaskQuery) (ids []string) {
	for _, t := range slices.Backward(all) {
		if (q.Status == "" || t.Status == q.Status) && (q.Source == "" || t.Source == q.Source) &&
			(q.System == "" || slices.ContainsFunc(t.Enforcements, func(n schemas.Enforcement) bool { return n.System == q.System })) &&
			strings.Contains(strings.ToLower(t.Request.Account.Value), strings.ToLower(q.Q)) &&
			(q.From.IsZero() || !t.CreatedAt.Before(q.From)) && (q.To.IsZero() || t.CreatedAt.Before(q.To)) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// pages walks through all pages of a query.
func pages(ctx context.Context, l *Ledger, q schemas.TaskQuery) (ids []string, err error) {
	for {
		page, err := l.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tasks {
			ids = append(ids, t.ID)
		}
		if page.Next != "" && len(page.Tasks) != q.Limit {
			return nil, fmt.Errorf("a page of %d that is not the last has %d tasks", q.Limit, len(page.Tasks))
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids, nil
		}
	}
}

func TestASearchFindsWhatAFilterFinds(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		people := wide(700)
		people.accounts = 90
		all := people.seed(t, l, true)
		// And some of the very same moment, of many accounts and facets.
		r := rand.New(rand.NewPCG(3, 4))
		for range 80 {
			it := people.item(t, r, epoch.Add(-100*24*time.Hour), r.IntN(1e9))
			write(t, l, &needs{accounts: []string{it.account}, scopes: []scope{it.scope}, keys: []idem{it.key}, numbers: 1}, []*item{it})
			all = append(all, it.task)
		}
		slices.SortStableFunc(all, func(a, b schemas.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
		found := 0
		for name, e := range hasty(t) {
			l.effort = e
			for range 70 {
				q := people.random(r)
				want := naive(all, q)
				if len(want) > 40*q.Limit {
					continue // too many pages
				}
				got, err := pages(t.Context(), l, q)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%s: %+v: %v: %d found, %d wanted\n%v\n%v", name, q, err, len(got), len(want), got, want)
				}
				found += min(1, len(want))
			}
		}
		if found < 100 {
			t.Errorf("only %d searches found anything: that proves little", found)
		}
	})
}

func TestASearchSeesATaskWhereItStandsNow(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		for want, event := range map[schemas.Status]schemas.Event{schemas.StatusInProgress: claimed(2)} {
			mustStep(t, l, task.ID, event)
			for _, s := range schemas.TaskStatuses() {
				page, err := l.Search(t.Context(), schemas.TaskQuery{Status: s})
				if err != nil || len(page.Tasks) == 1 != (s == want) {
					t.Errorf("%s finds %d, %v; the task is %s", s, len(page.Tasks), err, want)
				}
			}
		}
	})
}

func TestPagesAreBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		wide(schemas.MaxPage+100).seed(t, l, false)
		for limit, want := range map[int]int{0: schemas.DefaultPage, -1: schemas.DefaultPage, 7: 7, 1e6: schemas.MaxPage} {
			page, err := l.Search(t.Context(), schemas.TaskQuery{Limit: limit})
			if err != nil || len(page.Tasks) != want || page.Next == "" {
				t.Errorf("limit %d gives %d, %v", limit, len(page.Tasks), err)
			}
		}
	})
}

func TestACursorFromElsewhereIsRefused(t *testing.T) {
	l := sqlitePlace(t).open(t)
	good := cursor{at: 17, n: 4, id: "x"}.String()
	for _, bad := range []string{"x", "!", good + "A", good[1:], "MS4y", "YS5iLmM", strings.Repeat("A", 5000)} {
		if _, err := l.Search(t.Context(), schemas.TaskQuery{Cursor: bad}); !errors.Is(err, schemas.ErrCursor) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if c, err := parseCursor(good); err != nil || c != (cursor{at: 17, n: 4, id: "x"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTheOrderIsNewestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var all []schemas.Task
		for _, minutes := range []int{3, 1, 2, 2, 5, 1} {
			all = append(all, mustCreate(t, l, accepted(epoch.Add(time.Duration(minutes)*time.Minute), "jdoe")))
		}
		page, err := l.Search(t.Context(), schemas.TaskQuery{})
		if err != nil || len(page.Tasks) != len(all) || page.Next != "" {
			t.Fatalf("%d, %q, %v", len(page.Tasks), page.Next, err)
		}
		if !slices.IsSortedFunc(page.Tasks, func(a, b schemas.Task) int { return cmp.Compare(b.CreatedAt.Unix(), a.CreatedAt.Unix()) }) {
			t.Error("not newest first")
		}
	})
}
