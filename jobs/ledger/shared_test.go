package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/resetd/resetd/schemas"
)

func TestReplicasOpenAnEmptyDatabaseTogether(t *testing.T) {
	p := postgresPlace(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			l, err := Open(context.Background(), p.options)
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestReplicasMakeOneTaskForOneKey(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	for round := range 30 {
		var all sync.WaitGroup
		var mu sync.Mutex
		made, fresh := map[string]int{}, 0
		for _, l := range []*Ledger{a, b, a, b} {
			all.Go(func() {
				account := fmt.Sprintf("new%d@example.com", round)
				tasks, replay, err := l.Create(context.Background(), delivery("soar", fmt.Sprint("key", round), accepted(epoch, account), accepted(epoch, account)))
				mu.Lock()
				defer mu.Unlock()
				if err != nil || len(tasks) != 2 {
					t.Errorf("%d tasks, %v", len(tasks), err)
					return
				}
				made[tasks[0].ID+tasks[1].ID]++
				if !replay {
					fresh++
				}
			})
		}
		all.Wait()
		if len(made) != 1 || fresh != 1 {
			t.Errorf("%d deliveries, %d times fresh", len(made), fresh)
		}
	}
}

func TestReplicasFoldOneAfterTheOther(t *testing.T) {
	p := postgresPlace(t)
	replicas := []*Ledger{p.open(t), p.open(t)}
	var ids []string
	for range 5 {
		ids = append(ids, mustCreate(t, replicas[0], accepted(epoch, "jdoe")).ID)
	}
	const each = 40
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range each {
				if _, err := replicas[(i+n)%2].Transition(context.Background(), ids[(i*n)%5], step(claimed(n+2))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	versions := 0
	for _, id := range ids {
		events, err := replicas[1].Events(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		now, err := replicas[0].Task(t.Context(), id)
		if err != nil || !same(t, fold(t, events), now) {
			t.Errorf("%v: not the fold", err)
		}
		versions += now.Version
	}
	if versions != 5+8*each {
		t.Errorf("%d events; want %d", versions, 5+8*each)
	}
}

func TestOneClaimOfACallbackWins(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	c := owed(t, a, epoch)
	var all sync.WaitGroup
	won := make(chan bool, 8)
	for i := range 8 {
		all.Go(func() {
			_, err := []*Ledger{a, b}[i%2].ClaimCallback(context.Background(), c.ID, 1, farAway)
			if err != nil && !errors.Is(err, schemas.ErrState) {
				t.Error(err)
			}
			won <- err == nil
		})
	}
	all.Wait()
	close(won)
	n := 0
	for w := range won {
		if w {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d claims won", n)
	}
}

func TestAnAccountThatAnotherReplicaPurgedIsMadeAgain(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	e := accepted(epoch, "jdoe")
	e.Accepted.Status, e.Accepted.Callback = schemas.StatusRejected, nil
	mustCreate(t, a, e) // a remembers the account now
	if n, err := b.Purge(t.Context(), farAway, 10); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	mustCreate(t, a, accepted(epoch, "jdoe"))
	for _, l := range []*Ledger{a, b} {
		if page, err := l.Search(t.Context(), schemas.TaskQuery{Q: "jdoe"}); err != nil || len(page.Tasks) != 1 {
			t.Errorf("%d found, %v", len(page.Tasks), err)
		}
	}
}

func TestPurgeAndCreateOfTheSameAccountsDoNotHurtEachOther(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	stop := make(chan struct{})
	var purging sync.WaitGroup
	purging.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := b.Purge(context.Background(), farAway, 50); err != nil {
					t.Error(err)
				}
			}
		}
	})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 25 {
				e := accepted(epoch, fmt.Sprint("user", n%3))
				e.Accepted.Status, e.Accepted.Callback = schemas.StatusRejected, nil
				if _, _, err := a.Create(context.Background(), delivery("soar", fmt.Sprint(i, "-", n), e)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	purging.Wait()
	if n, err := b.Purge(t.Context(), farAway, 1000); err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n := count(t, a, "accounts"); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

// TestTheRosterSeesWhatIsCommittedLate lets the transaction that has the lower number end last.
func TestTheRosterSeesWhatIsCommittedLate(t *testing.T) {
	p := postgresPlace(t)
	l := p.open(t)
	slow, err := pgx.Connect(t.Context(), p.options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close(context.Background()) }()
	tx, err := slow.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO accounts (key) VALUES ('late@example.com')"); err != nil {
		t.Fatal(err)
	}
	find := func(part string) int {
		t.Helper()
		found, err := l.db.accounts.find(t.Context(), l.read, part, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for n := range 3 {
		mustCreate(t, l, accepted(epoch, fmt.Sprintf("early%d@example.com", n)))
		if got := find("@example.com"); got != n+1 {
			t.Errorf("%d found; want %d", got, n+1)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := find("@example.com"); got != 4 {
			t.Errorf("%d found after the late one; want 4", got)
		}
	}
	time.Sleep(time.Millisecond)
	if n := len(l.db.accounts.ids); n != 4 {
		t.Errorf("the roster holds %d names; want 4", n)
	}
}
