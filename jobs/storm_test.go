package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// people gives the houses the same persons, p0, p1 …, each of whom senders call by three names.
func people(n int, houses ...*house) [][]schemas.Account {
	names := make([][]schemas.Account, n)
	for i := range names {
		for _, text := range []string{fmt.Sprintf("p%d@example.com", i), fmt.Sprintf(`CORP\p%d`, i), fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i)} {
			a, _ := schemas.ParseAccount(text)
			names[i] = append(names[i], a)
			for _, h := range houses {
				h.systems.mu.Lock()
				if h.systems.known == nil {
					h.systems.known = map[schemas.Account]string{}
				}
				h.systems.known[a] = fmt.Sprint("p", i)
				h.systems.mu.Unlock()
			}
		}
	}
	return names
}

var stormSources = []string{"siem", "edr", "mail", "tickets"} // beside soar

func stormy(h *house) { h.coalesce, h.sources = 15*time.Minute, stormSources }

// slow makes a reset take a while, as it does over a network.
func (h *house) slow(d time.Duration) {
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset {
			time.Sleep(d)
		}
		return nil
	})
}

// hail sends deliveries from all sources about all persons to the houses in turn, many at once, and gives the tasks.
func hail(t *testing.T, n int, names [][]schemas.Account, houses ...*house) []string {
	t.Helper()
	var mu sync.Mutex
	var ids []string
	var all sync.WaitGroup
	next := make(chan int)
	sources := append([]string{"soar"}, stormSources...)
	for range 32 {
		all.Go(func() {
			for i := range next {
				r := request("", "a")
				r.Account = names[i%len(names)][rand.IntN(3)]
				s := submission(uuid.NewString(), r)
				s.Source, s.Actor = sources[i%len(sources)], "source:"+sources[i%len(sources)]
				tasks, replay, err := houses[i%len(houses)].svc.Submit(t.Context(), s)
				if err != nil || replay || len(tasks) != 1 {
					t.Errorf("delivery %d: %d tasks, replay %v, %v", i, len(tasks), replay, err)
					continue
				}
				mu.Lock()
				ids = append(ids, tasks[0].ID)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	return ids
}

// calm waits for the end of a storm and looks at all that it left behind. A follower has made no attempt, or one that died
// with its process before it knew.
func calm(t *testing.T, ids []string, persons int, houses ...*house) {
	t.Helper()
	first, leaders := houses[0], map[string]int{}
	for _, id := range ids {
		task := first.final(id)
		n := task.Enforcements[0]
		if task.Status != schemas.StatusSuccessful || n.Identity == nil || task.Code != schemas.CodeOK {
			t.Fatalf("a task ended as %s %s: %+v", task.Status, task.Code, n)
		}
		leader := id
		if n.CoalescedWith != nil {
			leader = n.CoalescedWith.TaskID
			if n.Attempts > 1 || n.CoalescedWith.FinishedAt.IsZero() || !strings.Contains(n.Detail, leader) {
				t.Fatalf("a follower ended as %+v", n)
			}
		}
		leaders[leader]++
		events, err := first.svc.Events(t.Context(), id)
		if err != nil || len(events) > 8 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		var again schemas.Task
		for _, e := range events {
			if again, err = again.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		if calls := first.callbacksOf(id); len(calls) != 1 || calls[0].State != schemas.CallbackDelivered || calls[0].Status != schemas.StatusSuccessful {
			t.Fatalf("callbacks are %+v", calls)
		}
	}
	for id := range leaders {
		if n := first.final(id).Enforcements[0]; n.CoalescedWith != nil && leaders[id] > 1 {
			t.Errorf("%d tasks point to one that did not reset anything itself: %+v", leaders[id], n)
		}
	}
	for i := range persons {
		sets := 0
		for _, h := range houses {
			sets += h.systems.sets("a", fmt.Sprint("p", i))
		}
		if sets != 1 {
			t.Errorf("the password of p%d was set %d times", i, sets)
		}
	}
	sent, told := 0, map[string]bool{}
	for _, h := range houses {
		h.post.mu.Lock()
		sent += len(h.post.ids)
		for _, id := range h.post.ids {
			told[id] = true
		}
		h.post.mu.Unlock()
	}
	// A short claim may run out in a stall of a crowded machine: its callback is sent twice then, under one id.
	if len(told) != len(ids) || sent != len(ids) && first.timing().Lease > 5*time.Second {
		t.Errorf("%d callbacks were sent under %d ids for %d deliveries", sent, len(told), len(ids))
	}
	if backlog, err := first.ledger.Backlog(t.Context()); err != nil || len(backlog) != 0 {
		t.Errorf("work is left: %v, %v", backlog, err)
	}
}

func stormSize() int {
	if testing.Short() || raced {
		return 500
	}
	return 5000
}

func TestAStormIsOneResetForEachPerson(t *testing.T) {
	const persons = 10
	h := newHouse(t, patient, stormy)
	names := people(persons, h)
	h.slow(20 * time.Millisecond)
	n := stormSize()
	began := time.Now()
	ids := hail(t, n, names, h)
	taken := time.Since(began)
	calm(t, ids, persons, h)
	t.Logf("%d deliveries taken in %s, all over after %s", n, taken, time.Since(began))
	if got := h.counted(t, "resetd_tasks_coalesced_total"); int(got) != n-persons {
		t.Errorf("%v are counted as coalesced, of %d for %d persons", got, n, persons)
	}
	if got := h.counted(t, "resetd_enforcements_finished_total"); int(got) != n {
		t.Errorf("%v are counted as ended, of %d", got, n)
	}
}

// counted sums a metric up.
func (h *house) counted(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestAStormOnTwoReplicasIsOneResetForEachPerson(t *testing.T) {
	const persons = 10
	url := testserver.Postgres(t).Database(t)
	a := newHouse(t, patient, stormy, func(h *house) { h.url = url })
	b := newHouse(t, patient, stormy, func(h *house) { h.url = url; h.systems, h.post = a.systems, a.post })
	names := people(persons, a)
	a.slow(20 * time.Millisecond)
	n := stormSize() / 5
	began := time.Now()
	ids := hail(t, n, names, a, b)
	taken := time.Since(began)
	calm(t, ids, persons, a)
	t.Logf("%d deliveries taken in %s, all over after %s", n, taken, time.Since(began))
}

// Two senders report the same many people: there are as many first ones as followers, and none waits for the others.
func TestManyFirstOnesWithFewFollowersEnd(t *testing.T) {
	persons := stormSize() / 5
	h := newHouse(t, patient, stormy)
	names := people(persons, h)
	h.slow(20 * time.Millisecond)
	began := time.Now()
	ids := hail(t, 3*persons, names, h)
	taken := time.Since(began)
	calm(t, ids, persons, h)
	t.Logf("%d deliveries about %d people taken in %s, all over after %s", len(ids), persons, taken, time.Since(began))
}

// Half of the storm comes, then the process dies in the middle of the resets, and the other half comes to the next one.
func TestAStormGoesOnAfterTheProcessDied(t *testing.T) {
	const persons = 5
	h := newHouse(t, stormy, func(h *house) { h.lease = 2 * time.Second })
	names := people(persons, h)
	dead := make(chan struct{})
	var hang sync.Map
	h.systems.after = func(_, id string) error { // the directory has done it, and the answer is never heard
		if _, seen := hang.LoadOrStore(id, true); !seen {
			<-dead
			return fmt.Errorf("dead")
		}
		return nil
	}
	ids := hail(t, 200, names, h)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		hung := 0
		hang.Range(func(any, any) bool { hung++; return true })
		if hung == persons {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d resets were begun", hung, persons)
		}
	}
	old := h.svc
	h.abandon()
	h.open()
	ids = append(ids, hail(t, 200, names, h)...)
	calm(t, ids, persons, h)
	close(dead)
	old.Close()
}

// Each source calls everybody by another name, and all ask at the same moment: only the system knows that it is one person.
func TestWhoTheSystemFindsCountsAndNotHowHeIsCalled(t *testing.T) {
	h := newHouse(t, patient, stormy)
	h.systems.known = map[schemas.Account]string{}
	var all []schemas.Request
	for i := range 40 {
		a := schemas.Account{Type: schemas.AccountUserName, Value: fmt.Sprint("alias", i)}
		r := request("", "a")
		r.Account = a
		all = append(all, r)
	}
	for _, r := range all {
		h.systems.known[r.Account] = "p0"
	}
	h.slow(50 * time.Millisecond)
	var ids []string
	for _, task := range h.submit(all...) {
		ids = append(ids, task.ID)
	}
	calm(t, ids, 1, h)
}

// 500 wait for one that hangs. They hold no worker: others are served. When it ends, they end.
func TestFollowersHoldNobodyUpAndEndWithTheirLeader(t *testing.T) {
	h := newHouse(t, patient, stormy)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h.systems.script(func(_ string, step schemas.StepName, id string) error {
		if step == schemas.StepReset && id == "jdoe" {
			once.Do(func() { close(begun) })
			<-goOn
		}
		return nil
	})
	leader := h.submit(request("jdoe", "a"))[0].ID
	<-begun
	var ids []string
	for range 500 {
		ids = append(ids, h.submit(request("jdoe", "a"))[0].ID)
	}
	for i := range 20 {
		h.final(h.submit(request(fmt.Sprint("other", i), "a"))[0].ID)
	}
	time.Sleep(3 * quick.Sweep) // sweeps pass and change nothing
	for _, id := range ids {
		task, err := h.svc.Task(t.Context(), id)
		if n := task.Enforcements[0]; err != nil || task.Version != 2 || !n.Follows() || n.CoalescedWith.TaskID != leader {
			t.Fatalf("version %d, %+v, %v", task.Version, n, err)
		}
	}
	close(goOn)
	end := h.final(leader).FinishedAt
	var last time.Time
	for _, id := range ids {
		task := h.final(id)
		if task.Status != schemas.StatusSuccessful || task.Version != 4 || task.Enforcements[0].Attempts != 0 {
			t.Fatalf("version %d, %+v", task.Version, task.Enforcements[0])
		}
		if task.FinishedAt.After(last) {
			last = task.FinishedAt
		}
	}
	t.Logf("500 followers ended within %s", last.Sub(end))
	if last.Sub(end) > 5*time.Second { // a second, on a machine that has one for us
		t.Errorf("the last follower ended %s after its leader", last.Sub(end))
	}
	if n := h.systems.sets("a", "jdoe"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// What waits for a task that ended while nobody was there, or that is gone, is found by the sweep.
func TestFollowersThatNobodyRemembersAreFound(t *testing.T) {
	h := newHouse(t, patient, stormy)
	leader := h.final(h.submit(request("jdoe", "a"))[0].ID)
	follow := func(key string, with schemas.Coalesced) string {
		t.Helper()
		id := uuid.NewString()
		r := request("jdoe", "a").WithDefaults()
		r.Callback = nil
		d := jobs.NewDelivery{Source: "soar", Key: key, Accepted: []schemas.Event{{TaskID: id, At: time.Now(), Type: schemas.EventAccepted, Actor: "source:soar",
			Accepted: &schemas.Accepted{Request: r, Systems: []string{"a"}, Status: schemas.StatusQueued}}},
			Then: [][]schemas.Event{{{TaskID: id, At: time.Now(), Type: schemas.EventCoalesced, Actor: "resetd", System: "a", CoalescedWith: &with}}}}
		if _, _, err := h.ledger.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		return id
	}
	shared := h.final(follow("k1", schemas.Coalesced{TaskID: leader.ID, EnforcementID: leader.Enforcements[0].ID}))
	if shared.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 {
		t.Errorf("%s, set %d times", shared.Status, h.systems.sets("a", "jdoe"))
	}
	h.close() // so that the memory of the first is gone as well
	h.open()
	gone := uuid.NewString()
	alone := h.final(follow("k2", schemas.Coalesced{TaskID: gone, EnforcementID: schemas.EnforcementID(gone, 0)}))
	if n := alone.Enforcements[0]; alone.Status != schemas.StatusSuccessful || n.CoalescedWith == nil || n.CoalescedWith.TaskID != leader.ID {
		t.Errorf("%s: it went on, and found the reset that was made: %+v", alone.Status, n)
	}
}
