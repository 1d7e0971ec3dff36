package main

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/resetd/resetd/schemas"
)

func TestTheHistoryHasEveryRowOnceInTheOrderOfTime(t *testing.T) {
	p := past{rows: 9001, end: time.Now()}
	statuses, seen := map[schemas.Status]int{}, map[string]bool{}
	last := p.end.Add(-historySpan - time.Second)
	if err := p.all(t.Context(), func(rows []pastRow) error {
		for _, r := range rows {
			if !r.task.CreatedAt.After(last) || r.task.CreatedAt.After(p.end) {
				t.Fatalf("%s follows %s", r.task.CreatedAt, last)
			}
			id, err := uuid.Parse(r.task.ID)
			if err != nil || id.Version() != 7 || seen[r.task.ID] {
				t.Fatalf("id %s, seen %t, %v", r.task.ID, seen[r.task.ID], err)
			}
			last, seen[r.task.ID] = r.task.CreatedAt, true
			statuses[r.task.Status]++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != p.rows || statuses[schemas.StatusSuccessful] < p.rows*8/10 || statuses[schemas.StatusQueued]+statuses[schemas.StatusInProgress] > 0 {
		t.Fatalf("%d rows, %v", len(seen), statuses)
	}
}

func TestEveryAccountOfTheHistoryHasAName(t *testing.T) {
	seen := map[string]bool{}
	for n := range accounts {
		name := account(n)
		if a, err := schemas.ParseAccount(name); err != nil || a.Key() != name || seen[name] {
			t.Fatalf("account %d is %q: %v", n, name, err)
		}
		seen[name] = true
	}
}
