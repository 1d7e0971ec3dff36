package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// breaking is a ledger whose at-th write breaks: before it was made, or after, so that only its answer is lost. Whoever
// wrote can do nothing more about it then, as if it had died at that place.
type breaking struct {
	jobs.Ledger
	at    int
	after bool

	mu sync.Mutex
	n  int
}

var errBroken = errors.New("the connection to the ledger broke")

func (b *breaking) write(do func() error) error {
	b.mu.Lock()
	b.n++
	breaks := b.n == b.at
	b.mu.Unlock()
	if breaks && !b.after {
		return errBroken
	}
	if err := do(); err != nil || !breaks {
		return err
	}
	return errBroken
}

func (b *breaking) writes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

func (b *breaking) Transition(ctx context.Context, id string, decide func(schemas.Task) ([]schemas.Event, error)) (t schemas.Task, err error) {
	err = b.write(func() (err error) { t, err = b.Ledger.Transition(ctx, id, decide); return err })
	return t, err
}

func (b *breaking) TransitionDue(ctx context.Context, w jobs.Work, now time.Time, decide func(schemas.Task) ([]schemas.Event, error)) (t schemas.Task, err error) {
	err = b.write(func() (err error) { t, err = b.Ledger.TransitionDue(ctx, w, now, decide); return err })
	return t, err
}

func (b *breaking) Route(ctx context.Context, known schemas.Task, system string, decide func(schemas.Task) ([]schemas.Event, error)) (t schemas.Task, err error) {
	err = b.write(func() (err error) { t, err = b.Ledger.Route(ctx, known, system, decide); return err })
	return t, err
}

func (b *breaking) Intend(ctx context.Context, id string, s jobs.Subject, decide func(schemas.Task, *schemas.Task) ([]schemas.Event, error)) (t schemas.Task, err error) {
	err = b.write(func() (err error) { t, err = b.Ledger.Intend(ctx, id, s, decide); return err })
	return t, err
}

func (b *breaking) ClaimCallback(ctx context.Context, id string, generation int, until time.Time) (c schemas.Callback, err error) {
	err = b.write(func() (err error) { c, err = b.Ledger.ClaimCallback(ctx, id, generation, until); return err })
	return c, err
}

// Whichever write of a task breaks, it comes to the same end: each password is set once, in the right order, and the
// caller hears of it under one id.
func TestWhereverTheLedgerBreaksACopyIsResetAtItsSourceOnce(t *testing.T) {
	for _, systems := range [][]string{{"b"}, {"a", "b"}} {
		for at := 1; at <= 9; at++ {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v, write %d, after %t", systems, at, after), func(t *testing.T) {
					t.Parallel()
					b := &breaking{at: at, after: after}
					h := hybrid(t, func(h *house) {
						h.wrap = func(l jobs.Ledger) jobs.Ledger { b.Ledger = l; return b }
					})
					order := h.order()
					task := h.final(h.submit(request("jdoe", systems...))[0].ID)
					if task.Status != schemas.StatusSuccessful || len(task.Enforcements) != 2 || h.systems.sets("a", "jdoe") != 1 || h.systems.sets("b", "jdoe") != 0 {
						t.Errorf("%s %s: %s; did %q", task.Status, task.Code, task.Detail, order())
					}
					if calls := h.callbacksOf(task.ID); len(calls) != 1 {
						t.Errorf("%d callbacks", len(calls))
					}
					if b.writes() < min(at, 6) { // how many there are beyond that depends on who is first
						t.Errorf("nothing broke: there were %d writes", b.writes())
					}
				})
			}
		}
	}
}

// The same for those that share one reset, by the same name and by another.
func TestWhereverTheLedgerBreaksAResetIsSharedAndMadeOnce(t *testing.T) {
	for at := 1; at <= 9; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, after %t", at, after), func(t *testing.T) {
				t.Parallel()
				b := &breaking{at: at, after: after}
				h := newHouse(t, stormy, func(h *house) {
					h.lease = 3 * time.Second
					h.wrap = func(l jobs.Ledger) jobs.Ledger { b.Ledger = l; return b }
				})
				h.means("alias", "jdoe")
				var ids []string
				for _, name := range []string{"jdoe", "jdoe", "alias", "alias"} {
					ids = append(ids, h.submit(request(name, "a"))[0].ID)
				}
				for _, id := range ids {
					if task := h.final(id); task.Status != schemas.StatusSuccessful || len(h.callbacksOf(id)) != 1 {
						t.Errorf("%s %s: %+v", task.Status, task.Code, task.Enforcements)
					}
				}
				if n := h.systems.sets("a", "jdoe"); n != 1 {
					t.Errorf("the password was set %d times", n)
				}
				if b.writes() < at {
					t.Errorf("nothing broke: there were %d writes", b.writes())
				}
			})
		}
	}
}
