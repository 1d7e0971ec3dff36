package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// oracle is what a ledger must hold after a history: derived from the events alone, one after the other.
type oracle struct {
	tasks     map[string]schemas.Task
	work      map[string]jobs.Work
	callbacks map[string]schemas.Status
}

// take follows one operation on a task.
func (o *oracle) take(t testing.TB, before schemas.Task, events []schemas.Event) {
	t.Helper()
	task := before
	for _, e := range events {
		at := e.DueAt
		if at.IsZero() {
			at = e.At
		}
		was := task
		var err error
		if task, err = task.Apply(e); err != nil {
			t.Fatal(err)
		}
		for i, n := range task.Enforcements {
			if was.Version > 0 {
				if _, ok := schemas.Next(was.Enforcements[i].Status, e.Type); !ok || e.System != "" && e.System != n.System {
					continue
				}
			}
			delete(o.work, n.ID)
			if !n.Status.Final() && n.Status != schemas.StatusPendingApproval {
				queue := jobs.QueueOf(n.System)
				if n.CoalescedWith != nil && n.Status == schemas.StatusQueued {
					queue = jobs.FollowQueue(n.CoalescedWith.EnforcementID)
				}
				o.work[n.ID] = jobs.Work{ID: n.ID, TaskID: task.ID, Queue: queue, Generation: n.Generation, DueAt: at}
			}
		}
	}
	if schemas.CallbackDue(before, task) {
		id := schemas.CallbackID(task.ID, task.Version)
		o.callbacks[id] = task.Status
		o.work[id] = jobs.Work{ID: id, TaskID: task.ID, Queue: jobs.CallbackQueue, Generation: 1, DueAt: task.UpdatedAt}
	}
	o.tasks[task.ID] = task
}

// anything makes one or two events, most of which are refused.
func anything(r *rand.Rand, systems []string) []schemas.Event {
	types := schemas.EventTypes()[1:]
	events := make([]schemas.Event, 1+r.IntN(2))
	for i := range events {
		e := schemas.Event{At: epoch.Add(time.Duration(r.IntN(1e6)) * time.Microsecond), Type: types[r.IntN(len(types))], Actor: "token:chance", Code: schemas.CodeUnavailable}
		if r.IntN(3) > 0 {
			e.System = systems[r.IntN(len(systems))]
		}
		if r.IntN(2) == 0 {
			e.DueAt = e.At.Add(time.Duration(r.IntN(100)) * time.Second)
		}
		if e.Type == schemas.EventCoalesced || e.Type == schemas.EventSucceeded && r.IntN(3) == 0 {
			leader := fmt.Sprintf("leader%d", r.IntN(3))
			e.CoalescedWith = &schemas.Coalesced{TaskID: leader, EnforcementID: schemas.EnforcementID(leader, r.IntN(2)), FinishedAt: e.At}
		}
		if e.Type == schemas.EventClaimed {
			e.Generation = r.IntN(9)
		}
		if r.IntN(3) == 0 {
			e.Steps = []schemas.Step{{Name: schemas.StepReset, Code: schemas.CodeTimedOut, At: e.At, TookMS: 3}}
			e.Intent = &schemas.Evidence{Marker: "m", PasswordChangedAt: e.At.In(time.FixedZone("", 7200))}
		}
		events[i] = e
	}
	return events
}

func TestWhateverHappensTheLedgerHoldsTheFoldOfItsEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		systems := []string{"a", "b", "c"}
		want := &oracle{tasks: map[string]schemas.Task{}, work: map[string]jobs.Work{}, callbacks: map[string]schemas.Status{}}
		var mu sync.Mutex // guards want; a task belongs to one goroutine, so its order is known
		var all sync.WaitGroup
		for seed := range uint64(8) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, 7))
				for i := range 4 {
					e := accepted(epoch, fmt.Sprintf("user%d", r.IntN(5)), systems[:1+r.IntN(3)]...)
					e.Accepted.Status = []schemas.Status{schemas.StatusQueued, schemas.StatusQueued, schemas.StatusPendingApproval, schemas.StatusRejected}[r.IntN(4)]
					e.Accepted.Callback.Events = [][]string{{"final"}, {"queued", "in_progress"}, {"final", "in_progress"}}[i%3]
					task := mustCreate(t, l, e)
					e.Seq, e.Accepted.Source, e.Accepted.IdempotencyKey = 1, task.Source, task.IdempotencyKey
					mu.Lock()
					want.take(t, schemas.Task{}, []schemas.Event{e})
					mu.Unlock()
					for range 2 + r.IntN(39) {
						var before schemas.Task
						var recorded []schemas.Event
						after, err := l.Transition(context.Background(), task.ID, func(now schemas.Task) ([]schemas.Event, error) {
							before = now
							recorded = anything(r, systems)
							for i := range recorded {
								recorded[i].TaskID = now.ID
							}
							return recorded, nil
						})
						if errors.Is(err, schemas.ErrTransition) {
							continue
						} else if err != nil {
							t.Error(err)
							return
						}
						for i := range recorded {
							recorded[i].Seq = before.Version + 1 + i
						}
						mu.Lock()
						want.take(t, before, recorded)
						mu.Unlock()
						if after.Version != before.Version+len(recorded) {
							t.Errorf("version %d after %d and %d events", after.Version, before.Version, len(recorded))
						}
					}
				}
			})
		}
		all.Wait()
		for range 2 { // as it stands, and after it was closed and opened again
			want.check(t, l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = p.open(t)
		}
	})
}

func (o *oracle) check(t *testing.T, l *Ledger) {
	t.Helper()
	ctx := t.Context()
	for id, want := range o.tasks {
		now, err := l.Task(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		events, err := l.Events(ctx, id)
		if err != nil || !same(t, now, fold(t, events)) {
			t.Errorf("%v: the task is not the fold of its events", err)
		}
		if now.Version != want.Version || now.Status != want.Status {
			t.Errorf("version %d, %s; want %d, %s", now.Version, now.Status, want.Version, want.Status)
		}
		page, err := l.Search(ctx, schemas.TaskQuery{Status: want.Status, Limit: schemas.MaxPage})
		if err != nil || !slices.ContainsFunc(page.Tasks, func(t schemas.Task) bool { return t.ID == id }) {
			t.Errorf("%v: not found by its status %s", err, want.Status)
		}
	}
	work := map[string]jobs.Work{}
	queues := []string{jobs.QueueOf("a"), jobs.QueueOf("b"), jobs.QueueOf("c"), jobs.CallbackQueue}
	leaders, err := l.Followed(ctx, "", 100)
	if err != nil || len(leaders) == 0 {
		t.Fatalf("leaders %v, %v", leaders, err)
	}
	for _, id := range leaders {
		queues = append(queues, jobs.FollowQueue(id))
	}
	for _, queue := range queues {
		due, err := l.Due(ctx, queue, farAway, 10000)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range due {
			work[w.ID] = w
		}
	}
	for id, w := range o.work {
		if work[id] != w {
			t.Errorf("work %+v; want %+v", work[id], w)
		}
	}
	if len(work) != len(o.work) || len(work) == 0 {
		t.Errorf("%d works; want %d", len(work), len(o.work))
	}
	for id, status := range o.callbacks {
		if c, err := l.Callback(ctx, id); err != nil || c.Status != status {
			t.Errorf("callback %s tells %s, %v; want %s", id, c.Status, err, status)
		}
	}
	if n := count(t, l, "callbacks"); n != len(o.callbacks) || n == 0 {
		t.Errorf("%d callbacks; want %d", n, len(o.callbacks))
	}
}
