package ledger

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

func TestADeliveryIsRecordedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		d := delivery("soar", "evt-1", accepted(epoch, "jdoe@example.com"))
		first, replay, err := l.Create(t.Context(), d)
		if err != nil || replay || len(first) != 1 {
			t.Fatalf("%v %v %v", first, replay, err)
		}
		if k := first[0].IdempotencyKey; k != "evt-1" || first[0].Source != "soar" {
			t.Errorf("recorded for %s, %s", first[0].Source, k)
		}
		now := mustStep(t, l, first[0].ID, schemas.Event{At: epoch.Add(1e9), Type: schemas.EventClaimed, Generation: 2})
		again, replay, err := l.Create(t.Context(), delivery("soar", "evt-1", accepted(epoch.Add(time.Hour), "jdoe@example.com")))
		if err != nil || !replay || len(again) != 1 || !same(t, again[0], now) {
			t.Errorf("a replay gives %+v, %v, %v; want the first task as it stands", again, replay, err)
		}
		d.BodyHash[0]++
		if _, _, err := l.Create(t.Context(), d); !errors.Is(err, schemas.ErrKeyReused) {
			t.Errorf("another body: %v", err)
		}
		d.Source, d.Accepted = "siem", []schemas.Event{accepted(epoch, "jdoe@example.com")}
		if _, replay, err := l.Create(t.Context(), d); err != nil || replay {
			t.Errorf("the same key of another source: %v %v", replay, err)
		}
	})
}

func TestABatchIsRecordedInOrderAndReplayedInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var events []schemas.Event
		for i := range 1000 {
			events = append(events, accepted(epoch, fmt.Sprintf("user%d@example.com", i)))
		}
		d := delivery("soar", "big", events...)
		first, replay, err := l.Create(t.Context(), d)
		if err != nil || replay || len(first) != 1000 {
			t.Fatalf("%d tasks, %v, %v", len(first), replay, err)
		}
		for i, task := range first {
			want := "big"
			if i > 0 {
				want = fmt.Sprintf("big#%d", i)
			}
			if task.ID != events[i].TaskID || task.IdempotencyKey != want {
				t.Fatalf("task %d is %s with the key %s", i, task.ID, task.IdempotencyKey)
			}
		}
		again, replay, err := l.Create(t.Context(), d)
		if err != nil || !replay || !same(t, again, first) {
			t.Errorf("the replay differs: %d tasks, %v, %v", len(again), replay, err)
		}
		if n, err := l.Backlog(t.Context()); err != nil || n[jobs.QueueOf("corp-ldap")] != 1000 {
			t.Errorf("backlog %v, %v", n, err)
		}
	})
}

func TestAnItemsKeyIsNotAnotherDeliverysKey(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		for _, d := range []jobs.NewDelivery{delivery("soar", "a", accepted(epoch, "x"), accepted(epoch, "y")), delivery("soar", "a#1", accepted(epoch, "z"))} {
			if _, replay, err := l.Create(t.Context(), d); err != nil || replay {
				t.Errorf("%s: replay %v, %v", d.Key, replay, err)
			}
		}
	})
}

func TestADeliveryIsRecordedWholeOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		taken := mustCreate(t, l, accepted(epoch, "jdoe"))
		fine, clash := accepted(epoch, "fine"), accepted(epoch, "clash")
		clash.TaskID = taken.ID
		other := accepted(epoch, "other")
		together(t, l, func() {
			if _, _, err := l.Create(context.Background(), delivery("soar", "clash", fine, clash)); err == nil || errors.Is(err, schemas.ErrOverloaded) {
				t.Errorf("a task id in use: %v", err)
			}
		}, func() {
			if _, _, err := l.Create(context.Background(), delivery("soar", "other", other)); err != nil {
				t.Errorf("the neighbour in the batch: %v", err)
			}
		})
		if _, err := l.Task(t.Context(), fine.TaskID); !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("half of the delivery is there: %v", err)
		}
		if _, err := l.Task(t.Context(), other.TaskID); err != nil {
			t.Errorf("the neighbour is lost: %v", err)
		}
	})
}

func TestIdenticalDeliveriesMakeOneTask(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var mu sync.Mutex
		made := map[string]int{}
		fresh := 0
		create := func() {
			tasks, replay, err := l.Create(context.Background(), delivery("soar", "same", accepted(epoch, "jdoe")))
			mu.Lock()
			defer mu.Unlock()
			if err != nil || len(tasks) != 1 {
				t.Errorf("%d tasks, %v", len(tasks), err)
				return
			}
			made[tasks[0].ID]++
			if !replay {
				fresh++
			}
		}
		together(t, l, create, create, create) // in one batch
		var all sync.WaitGroup
		for range 30 { // and in several
			all.Go(create)
		}
		all.Wait()
		if len(made) != 1 || fresh != 1 {
			t.Errorf("%d tasks, %d times not a replay; want one", len(made), fresh)
		}
	})
}

func TestNoTasksAreNoDelivery(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if tasks, replay, err := l.Create(t.Context(), delivery("soar", "empty")); err != nil || replay || tasks != nil {
			t.Errorf("%v %v %v", tasks, replay, err)
		}
		if _, replay, err := l.Create(t.Context(), delivery("soar", "empty", accepted(epoch, "jdoe"))); err != nil || replay {
			t.Errorf("the key was used up: %v %v", replay, err)
		}
	})
}

func TestWhatIsNoDeliveryIsRefused(t *testing.T) {
	l := sqlitePlace(t).open(t)
	twice := accepted(epoch, "jdoe")
	nameless, claimed, nowhere := accepted(epoch, "jdoe"), accepted(epoch, "jdoe"), accepted(epoch, "jdoe")
	nameless.TaskID, claimed.Type, nowhere.Accepted.Systems = "", schemas.EventClaimed, nil
	for name, d := range map[string]jobs.NewDelivery{
		"one id twice": delivery("soar", "k", twice, twice), "no id": delivery("soar", "k", nameless),
		"another event": delivery("soar", "k", claimed), "no system": delivery("soar", "k", nowhere),
	} {
		if _, _, err := l.Create(t.Context(), d); err == nil || errors.Is(err, schemas.ErrOverloaded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPurgedPartOfADeliveryLeavesAReplayOfTheRest(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		events := []schemas.Event{accepted(epoch, "a"), accepted(epoch, "b")}
		events[0].Accepted.Callback = nil
		d := delivery("soar", "pair", events...)
		if _, _, err := l.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		mustStep(t, l, events[0].TaskID, schemas.Event{At: epoch, Type: schemas.EventCancelled})
		if n, err := l.Purge(t.Context(), epoch.Add(time.Hour), 10); n != 1 || err != nil {
			t.Fatalf("purged %d, %v", n, err)
		}
		tasks, replay, err := l.Create(t.Context(), d)
		if err != nil || !replay || len(tasks) != 1 || tasks[0].ID != events[1].TaskID {
			t.Errorf("%d tasks, replay %v, %v", len(tasks), replay, err)
		}
	})
}
