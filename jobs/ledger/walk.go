package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// The lists that a search can walk. Each index holds lists of tasks, newest first: one for each account, one for each
// facet, and one of all.
const (
	listAll      = ""
	listAccounts = "account"
	listFacets   = "facet"
)

// walk merges lists, newest first, until it has as many tasks as wanted.
type walk struct {
	tx     queryer
	db     *database
	effort effort
	list   string
	keys   []int64 // which lists; none for listAll
	where  string  // further conditions on t, each begun with AND
	part   string  // what the key of the account must hold, as $5; empty if the lists settle it
	before cursor
	from   int64 // entries before this time do not count
	want   int
	// budget, if not zero, is how many entries are held against the conditions before the walk gives up for the one
	// instead of it, which is slower as a rule but has a bound.
	budget  int
	instead *walk
}

// run chooses how to merge: by the bounded try first if there is something instead, at once if the lists are few.
func (w *walk) run(ctx context.Context) ([]cursor, error) {
	if w.instead != nil {
		if len(w.keys) <= w.effort.arms {
			hits, err := w.merge(ctx, w.keys, w.before, w.from, w.want)
			if err != nil || len(hits) == w.want {
				return hits, err
			}
		}
		return w.instead.run(ctx)
	}
	if len(w.keys) <= w.effort.arms {
		return w.merge(ctx, w.keys, w.before, w.from, w.want)
	}
	return w.leapfrog(ctx)
}

// leapfrog walks more lists than can be merged at once. It merges those whose newest entries are newest, down to the
// newest entry of the first list that is left out; below that the order is another, and it looks again. Without further
// conditions one round is enough for as many tasks as there are arms, because they lie in no more lists than that.
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
		if arms > w.effort.arms {
			from = tops[w.effort.arms].at + 1
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
	for group := range slices.Chunk(keys, w.effort.arms) {
		some, err := w.merge(ctx, group, before, from, want)
		if err != nil {
			return nil, err
		}
		hits = append(hits, some...)
	}
	slices.SortFunc(hits, func(a, b cursor) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.n, a.n)) })
	return hits[:min(want, len(hits))], nil
}

// conditions bound each list; what they compare with is given by arguments.
const conditions = "(t.created_at, t.n) < ($1, $2) AND t.created_at >= $3"

const newestFirst = " ORDER BY 1 DESC, 2 DESC LIMIT "

// merge reads the newest entries of some lists. Each arm comes in order out of its index, so the database merges them
// and stops when it has enough. SQLite does so by itself; PostgreSQL is brought to it by a limit on each arm.
func (w *walk) merge(ctx context.Context, keys []int64, before cursor, from int64, want int) ([]cursor, error) {
	columns, where, limit := "t.created_at, t.n", w.where+w.holds("t"), "$4"
	if w.budget > 0 {
		columns, where, limit = columns+", t.account", w.where, strconv.Itoa(w.budget)
	}
	arms := make([]string, max(1, len(keys)))
	for i := range arms {
		arms[i] = "SELECT " + columns + " FROM tasks t WHERE " + conditions + where
		if w.list != listAll {
			arms[i] += fmt.Sprintf(" AND t.%s = %d", w.list, keys[i])
		}
		if w.db.shared && len(arms) > 1 {
			arms[i] = "(" + arms[i] + newestFirst + limit + ")"
		}
	}
	query := strings.Join(arms, " UNION ALL ") + newestFirst + limit
	if w.budget > 0 {
		query = "SELECT m.created_at, m.n FROM (" + query + ") AS m WHERE TRUE" + w.holds("m") + newestFirst + "$4"
	}
	var hits []cursor
	err := eachRow(ctx, w.tx, query, func(r scanner) error {
		var c cursor
		err := r.Scan(&c.at, &c.n)
		hits = append(hits, c)
		return err
	}, w.arguments(before, from, want)...)
	return hits, err
}

// holds is the condition that the account of a table's row holds the part.
func (w *walk) holds(table string) string {
	if w.part == "" {
		return ""
	}
	return " AND " + w.db.contains + "((SELECT a.key FROM accounts a WHERE a.id = " + table + ".account), $5) > 0"
}

// arguments are those of conditions, holds and the limit, in their places.
func (w *walk) arguments(before cursor, from int64, limit int) []any {
	args := []any{before.at, before.n, from, limit}
	if w.part != "" {
		args = append(args, w.part)
	}
	return args
}

// tops gives the newest entry of each list that has one.
func (w *walk) tops(ctx context.Context, keys []int64, before cursor) ([]top, error) {
	query := fmt.Sprintf(`SELECT v.column1, (SELECT t.created_at FROM tasks t WHERE %s%s AND t.%s = v.column1
ORDER BY t.created_at DESC, t.n DESC LIMIT $4) FROM (VALUES %s) AS v`, conditions, w.where+w.holds("t"), w.list, numbers(keys, "(", ")"))
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
	}, w.arguments(before, w.from, 1)...)
	return tops, err
}
