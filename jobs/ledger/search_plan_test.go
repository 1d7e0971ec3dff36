package ledger

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// explained asks for the plan of every query before it runs it.
type explained struct {
	*sql.Tx
	t      *testing.T
	prefix string
	column int    // of the answer that holds the text
	width  int    // columns of the answer
	whole  string // how a plan names the reading of a whole table
	seen   int
}

func (e *explained) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.t.Helper()
	into := make([]any, e.width)
	for i := range into {
		into[i] = new(sql.NullString)
	}
	err := eachRow(ctx, e.Tx, e.prefix+query, func(s scanner) error {
		err := s.Scan(into...)
		line := into[e.column].(*sql.NullString).String
		e.seen++
		for _, table := range []string{"tasks", "t", "callbacks", "c", "work"} {
			if strings.HasSuffix(line, e.whole+table) || strings.Contains(line, e.whole+table+" ") && !strings.Contains(line, "INDEX") {
				e.t.Errorf("reads a whole table: %s\n%.300s", line, query)
			}
		}
		if strings.Contains(line, "TEMP B-TREE FOR ORDER BY") && !strings.Contains(query, "DISTINCT") {
			e.t.Errorf("sorts what an index has in order: %s\n%.300s", line, query)
		}
		return err
	}, args...)
	if err != nil {
		e.t.Fatalf("%v: %s", err, query)
	}
	return e.Tx.QueryContext(ctx, query, args...)
}

func explain(t *testing.T, l *Ledger) *explained {
	t.Helper()
	tx, err := l.read.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if l.db.shared {
		return &explained{Tx: tx, t: t, prefix: "EXPLAIN ", width: 1, whole: "Seq Scan on "}
	}
	return &explained{Tx: tx, t: t, prefix: "EXPLAIN QUERY PLAN ", width: 4, column: 3, whole: "SCAN "}
}

func TestEverySearchUsesAnIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		wide(3000).seed(t, l, false)
		e := explain(t, l)
		for name, q := range searches() {
			for _, effort := range hasty(t) {
				w := walk{tx: e, db: l.db, effort: effort, before: start(), from: math.MinInt64, want: 51}
				if some, err := w.plan(t.Context(), q); err != nil {
					t.Fatal(err)
				} else if !some {
					continue
				}
				hits, err := w.run(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if _, err := l.documents(t.Context(), e, hits); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		if e.seen < 100 {
			t.Errorf("only %d lines of plans were seen", e.seen)
		}
	})
}

func TestWorkAndCallbacksUseAnIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := explain(t, l)
		ask := func(query string, args ...any) {
			if err := eachRow(t.Context(), e, query, func(scanner) error { return nil }, args...); err != nil {
				t.Error(err)
			}
		}
		ask(selectDue, "system-corp-ldap", 0, micros(time.Now()), 100)
		ask(selectPurgeable, micros(time.Now()), firstFinal, string(schemas.CallbackPending), 100)
		for _, q := range []schemas.CallbackQuery{{}, {State: schemas.CallbackDead}} {
			query, args := callbackQuery(q, start(), 51)
			ask(query, args...)
		}
		if e.seen == 0 {
			t.Error("no plan was seen")
		}
	})
}
