package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// The lists that a search can walk. Each index holds lists of tasks, newest first: one for each account, one for each
// facet, and one of all.
const (
	listAll      = ""
	listAccounts = "account"
	listFacets   = "facet"
)

// maxArms is how many lists are merged by one statement. From more lists, those with the newest entries are taken.
const maxArms = 60

// walk merges lists, newest first, until it has as many tasks as wanted.
type walk struct {
	tx     *sql.Tx
	find   accountFinder
	list   string
	keys   []int64 // which lists; none for listAll
	where  string  // further conditions on t, each begun with AND; their arguments begin with $5
	args   []any
	before cursor
	from   int64 // entries before this time do not count
	want   int
	explain bool
}

func (w *walk) run(ctx context.Context) ([]cursor, error) {
	if len(w.keys) <= maxArms {
		return w.merge(ctx, w.keys, w.before, w.from, w.want)
	}
	return w.leapfrog(ctx)
}

// leapfrog walks more lists than can be merged at once. It merges those whose newest entries are newest, down to the
// newest entry of the first list that is left out; below that the order is another, and it looks again. Without further
// conditions one round is enough, because n tasks lie in n lists at most.
func (w *walk) leapfrog(ctx context.Context) ([]cursor, error) {
	var hits []cursor
	for before, keys := w.before, w.keys; ; {
		tops, err := w.tops(ctx, keys, before)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(tops, func(a, b top) int { return cmp.Compare(b.at, a.at) })
		keys = keys[:0:0]
		for _, t := range tops {
			keys = append(keys, t.key)
		}
		arms, from := len(tops), w.from
		if arms > maxArms {
			from = tops[maxArms].at + 1
			if arms = since(tops, from); arms == 0 { // more lists than arms begin at one time
				from--
				arms = since(tops, from)
			}
		}
		some, err := w.mergeAll(ctx, keys[:arms], before, from, w.want-len(hits))
		if err != nil {
			return nil, err
		}
		hits = append(hits, some...)
		if len(hits) >= w.want || arms == len(tops) && from == w.from {
			return hits, nil
		}
		before = cursor{at: from, n: math.MinInt64}
	}
}

// top is the time of the newest entry of a list.
type top struct{ key, at int64 }

// since tells how many tops, which are sorted, are not before a time.
func since(tops []top, from int64) int {
	return sort.Search(len(tops), func(i int) bool { return tops[i].at < from })
}

// mergeAll merges any number of lists, in groups if there are too many.
func (w *walk) mergeAll(ctx context.Context, keys []int64, before cursor, from int64, want int) ([]cursor, error) {
	var hits []cursor
	for group := range slices.Chunk(keys, maxArms) {
		some, err := w.merge(ctx, group, before, from, want)
		if err != nil {
			return nil, err
		}
		hits = append(hits, some...)
	}
	slices.SortFunc(hits, func(a, b cursor) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.n, a.n)) })
	return hits[:min(want, len(hits))], nil
}

// conditions bound one list; the arguments are those of bounds.
const conditions = "(t.created_at, t.n) < ($1, $2) AND t.created_at >= $3"

const newestFirst = " ORDER BY 1 DESC, 2 DESC LIMIT "

// merge reads the newest entries of some lists. Each arm comes in order out of its index, so the database merges them
// and stops when it has enough.
func (w *walk) merge(ctx context.Context, keys []int64, before cursor, from int64, want int) ([]cursor, error) {
	var arms []string
	arm := "SELECT t.created_at, t.n FROM tasks t WHERE " + conditions + w.where
	if w.list == listAll {
		arms = []string{arm}
	}
	for _, k := range keys {
		arms = append(arms, fmt.Sprintf("%s AND t.%s = %d", arm, w.list, k))
	}
	if w.explain {
		eachRow(ctx, w.tx, "EXPLAIN (ANALYZE, BUFFERS) "+strings.Join(arms, " UNION ALL ")+newestFirst+"$4", func(r scanner) error {
			var s string
			r.Scan(&s)
			fmt.Println(s)
			return nil
		}, append([]any{before.at, before.n, from, want}, w.args...)...)
	}
	var hits []cursor
	err := eachRow(ctx, w.tx, strings.Join(arms, " UNION ALL ")+newestFirst+"$4", func(r scanner) error {
		var c cursor
		err := r.Scan(&c.at, &c.n)
		hits = append(hits, c)
		return err
	}, append([]any{before.at, before.n, from, want}, w.args...)...)
	return hits, err
}

// tops gives the newest entry of each list that has one.
func (w *walk) tops(ctx context.Context, keys []int64, before cursor) ([]top, error) {
	query := fmt.Sprintf(`SELECT v.column1, (SELECT t.created_at FROM tasks t WHERE %s%s AND t.%s = v.column1
ORDER BY t.created_at DESC, t.n DESC LIMIT $4) FROM (VALUES %s) AS v`, conditions, w.where, w.list, numbers(keys, "(", ")"))
	var tops []top
	err := eachRow(ctx, w.tx, query, func(r scanner) error {
		var t top
		var at sql.NullInt64
		if err := r.Scan(&t.key, &at); err != nil || !at.Valid {
			return err
		}
		t.at = at.Int64
		tops = append(tops, t)
		return nil
	}, append([]any{before.at, before.n, w.from, 1}, w.args...)...)
	return tops, err
}
