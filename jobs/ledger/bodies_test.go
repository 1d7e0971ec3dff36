package ledger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// keyless makes a delivery without an id, whose body stands for its text.
func keyless(source, body string, at time.Time, repeat schemas.Repeat, accounts ...string) jobs.NewDelivery {
	var events []schemas.Event
	for _, a := range accounts {
		e := accepted(at, a)
		e.Accepted.Callback = nil
		events = append(events, e)
	}
	d := delivery(source, body, events...)
	d.Key, d.Repeat = "", repeat
	return d
}

func TestABodyWithoutAnIDIsKnownAgain(t *testing.T) {
	hour := schemas.Repeat{Within: time.Hour}
	strict := schemas.Repeat{Within: time.Hour, Refuse: true}
	type again struct {
		source, body string
		after        time.Duration
		repeat       schemas.Repeat
	}
	for name, c := range map[string]struct {
		again  again
		replay bool
		err    error
	}{
		"at once":                         {again{"siem", "x", 0, hour}, true, nil},
		"right before the end":            {again{"siem", "x", time.Hour - time.Microsecond, strict}, true, nil},
		"at the end":                      {again{"siem", "x", time.Hour, hour}, false, nil},
		"at the end, to a strict source":  {again{"siem", "x", time.Hour, strict}, false, schemas.ErrReplayed},
		"much later, to a strict source":  {again{"siem", "x", 1000 * time.Hour, strict}, false, schemas.ErrReplayed},
		"within a day by default":         {again{"siem", "x", 23 * time.Hour, schemas.Repeat{}}, true, nil},
		"after a day by default":          {again{"siem", "x", 25 * time.Hour, schemas.Repeat{}}, false, nil},
		"another body":                    {again{"siem", "y", 0, strict}, false, nil},
		"another source":                  {again{"soar", "x", 0, strict}, false, nil},
		"a clock that was set back a bit": {again{"siem", "x", -time.Second, strict}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p *place) {
				l := p.open(t)
				first, replay, err := l.Create(t.Context(), keyless("siem", "x", epoch, hour, "a", "b"))
				if err != nil || replay || len(first) != 2 {
					t.Fatalf("%d tasks, replay %v, %v", len(first), replay, err)
				}
				second, replay, err := l.Create(t.Context(), keyless(c.again.source, c.again.body, epoch.Add(c.again.after), c.again.repeat, "a", "b"))
				if replay != c.replay || !errors.Is(err, c.err) || c.err == nil && len(second) != 2 {
					t.Fatalf("%d tasks, replay %v, %v", len(second), replay, err)
				}
				if c.replay && !same(t, first, second) {
					t.Error("a replay gives other tasks than the first")
				}
				if n := count(t, l, "tasks"); c.replay && n != 2 || c.err == nil && !c.replay && n != 4 || c.err != nil && n != 2 {
					t.Errorf("%d tasks are there", n)
				}
			})
		})
	}
}

func TestTheKeyOfABodyIsShown(t *testing.T) {
	l := sqlitePlace(t).open(t)
	tasks, _, err := l.Create(t.Context(), keyless("siem", "x", epoch, schemas.Repeat{}, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	if k := tasks[0].IdempotencyKey; !regexp.MustCompile(`^body-[0-9a-f]{16}-[0-9a-z]{6,12}$`).MatchString(k) || tasks[1].IdempotencyKey != k+"#1" {
		t.Errorf("the keys are %s and %s", k, tasks[1].IdempotencyKey)
	}
}

// What is asked anew in the same words becomes the first for what follows.
func TestANewDeliveryOfTheSameBodyTakesThePlaceOfTheFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		hour := schemas.Repeat{Within: time.Hour}
		var ids []string
		for i, after := range []time.Duration{0, 2 * time.Hour, 2*time.Hour + time.Minute, 2*time.Hour + 59*time.Minute, 3 * time.Hour} {
			tasks, replay, err := l.Create(t.Context(), keyless("siem", "x", epoch.Add(after), hour, "a"))
			if err != nil || len(tasks) != 1 || replay != (i == 2 || i == 3) {
				t.Fatalf("number %d: %d tasks, replay %v, %v", i, len(tasks), replay, err)
			}
			ids = append(ids, tasks[0].ID)
		}
		if ids[1] != ids[2] || ids[1] != ids[3] || ids[0] == ids[1] || ids[4] == ids[1] {
			t.Errorf("the tasks are %v", ids)
		}
		if n := count(t, l, "bodies"); n != 1 {
			t.Errorf("%d bodies", n)
		}
	})
}

func TestTheSameBodyTwiceAtOnceIsOneDelivery(t *testing.T) {
	// The first time, and when the body was seen long ago: both make one delivery of those that come at once.
	check := func(t *testing.T, run func(create func(l *Ledger))) {
		for round := range 20 {
			var mu sync.Mutex
			made, fresh := map[string]bool{}, 0
			body := fmt.Sprint("body", round/2)
			var moment atomic.Int64
			run(func(l *Ledger) {
				at := epoch.Add(time.Duration(round)*time.Hour + time.Duration(moment.Add(1))*time.Millisecond)
				tasks, replay, err := l.Create(context.Background(), keyless("siem", body, at, schemas.Repeat{Within: time.Minute}, "a", "b"))
				mu.Lock()
				defer mu.Unlock()
				if err != nil || len(tasks) != 2 {
					t.Errorf("%d tasks, %v", len(tasks), err)
					return
				}
				made[tasks[0].ID+tasks[1].ID] = true
				if !replay {
					fresh++
				}
			})
			if len(made) != 1 || fresh != 1 {
				t.Errorf("%d deliveries, %d of them fresh", len(made), fresh)
			}
		}
	}
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		check(t, func(create func(*Ledger)) {
			together(t, l, func() { create(l) }, func() { create(l) }, func() { create(l) })
		})
	})
	t.Run("two replicas", func(t *testing.T) {
		p := postgresPlace(t)
		replicas := []*Ledger{p.open(t), p.open(t)}
		check(t, func(create func(*Ledger)) {
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() { create(replicas[i%2]) })
			}
			all.Wait()
		})
	})
}

func TestABodyIsForgottenWithItsTasks(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		strict := schemas.Repeat{Within: time.Hour, Refuse: true}
		tasks, _, err := l.Create(t.Context(), keyless("siem", "x", epoch, strict, "a"))
		if err != nil {
			t.Fatal(err)
		}
		mustStep(t, l, tasks[0].ID, schemas.Event{At: epoch, Type: schemas.EventCancelled})
		if n, err := l.Purge(t.Context(), epoch.Add(time.Hour), 10); n != 1 || err != nil {
			t.Fatalf("purged %d, %v", n, err)
		}
		if n := count(t, l, "bodies"); n != 0 {
			t.Errorf("%d bodies are left", n)
		}
		if _, replay, err := l.Create(t.Context(), keyless("siem", "x", epoch.Add(2*time.Hour), strict, "a")); err != nil || replay {
			t.Errorf("replay %v, %v", replay, err)
		}
	})
}

func TestWhatIsLeftOfABodysTasksIsTheReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		d := keyless("siem", "x", epoch, schemas.Repeat{}, "a", "b")
		if _, _, err := l.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		mustStep(t, l, d.Accepted[1].TaskID, schemas.Event{At: epoch, Type: schemas.EventCancelled})
		if n, err := l.Purge(t.Context(), epoch.Add(time.Hour), 10); n != 1 || err != nil {
			t.Fatalf("purged %d, %v", n, err)
		}
		tasks, replay, err := l.Create(t.Context(), keyless("siem", "x", epoch, schemas.Repeat{}, "a", "b"))
		if err != nil || !replay || len(tasks) != 1 || tasks[0].ID != d.Accepted[0].TaskID {
			t.Errorf("%d tasks, replay %v, %v", len(tasks), replay, err)
		}
	})
}

// asked looks over the writer's shoulder.
type asked struct {
	store
	bodies int
}

func (a *asked) begin(ctx context.Context, n *needs) (*found, error) {
	a.bodies += len(n.bodies)
	return a.store.begin(ctx, n)
}

func TestADeliveryWithAKeyAsksForNoBody(t *testing.T) {
	l := sqlitePlace(t).open(t)
	spy := &asked{store: l.writer.store}
	l.writer.store = spy
	mustCreate(t, l, accepted(epoch, "a"))
	if spy.bodies != 0 || count(t, l, "bodies") != 0 {
		t.Errorf("%d bodies were asked for", spy.bodies)
	}
	if _, _, err := l.Create(t.Context(), keyless("siem", "x", epoch, schemas.Repeat{}, "a")); err != nil || spy.bodies != 1 {
		t.Errorf("without a key, %d bodies were asked for, %v", spy.bodies, err)
	}
}
