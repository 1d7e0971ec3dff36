package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// population says what a seeded ledger looks like.
type population struct {
	tasks, accounts int
	sources         []string
	systems         []string
}

var lastNames = []string{"smith", "jones", "garcia", "müller", "nguyen", "rossi", "kowalski", "ivanova", "tanaka", "okafor", "silva", "haddad"}

// account names the n-th account: a name that recurs, a number that does not, and one of three domains, of which the last
// was given up half a year ago.
func (p population) account(n int) string {
	domain := "example.com"
	switch {
	case n%20 == 7:
		domain = "old.example.net"
	case n%10 == 3:
		domain = "example.org"
	}
	return fmt.Sprintf("%s%06d@%s", lastNames[n%len(lastNames)], n, domain)
}

// status is skewed as in life: nearly everything succeeds.
func status(r *rand.Rand) schemas.Status {
	switch n := r.IntN(1000); {
	case n < 870:
		return schemas.StatusSuccessful
	case n < 930:
		return schemas.StatusUnsuccessful
	case n < 960:
		return schemas.StatusPartiallySuccessful
	case n < 980:
		return schemas.StatusRejected
	case n < 995:
		return schemas.StatusCancelled
	case n < 998:
		return schemas.StatusQueued
	case n < 999:
		return schemas.StatusInProgress
	}
	return schemas.StatusPendingApproval
}

// seed fills an empty ledger past its writer, with tasks over one year up to epoch, in order of their time, and gives
// them. A source acts on its own systems only: the n-th on the n-th and the next two; most tasks act on one, and every
// hundredth account has been reset a hundred times as often as others.
func (p population) seed(t testing.TB, l *Ledger, keep bool) []schemas.Task {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	gap := 365 * 24 * time.Hour / time.Duration(p.tasks)
	var all []schemas.Task
	const chunk = 4000
	for from := 0; from < p.tasks; from += chunk {
		n := &needs{}
		var items []*item
		for i := from; i < min(from+chunk, p.tasks); i++ {
			at := epoch.Add(-365*24*time.Hour + time.Duration(i)*gap)
			items = append(items, p.item(t, r, at, i))
			it := items[len(items)-1]
			n.accounts, n.scopes, n.keys = append(n.accounts, it.account), append(n.scopes, it.scope), append(n.keys, it.key)
			if keep {
				all = append(all, it.task)
			}
		}
		n.numbers = len(items)
		write(t, l, n, items)
	}
	return all
}

func (p population) item(t testing.TB, r *rand.Rand, at time.Time, i int) *item {
	who := r.IntN(p.accounts)
	if r.IntN(10) == 0 {
		who -= who % 100
	}
	if at.After(epoch.Add(-180*24*time.Hour)) && who%20 == 7 {
		who++
	}
	source := min(r.IntN(len(p.sources)), r.IntN(len(p.sources)))
	systems := []string{p.systems[(source+r.IntN(3))%len(p.systems)]}
	if r.IntN(5) == 0 {
		systems = append(systems, p.systems[(source+3)%len(p.systems)])
	}
	items, err := prepare(delivery(p.sources[source], fmt.Sprint("seed-", i), accepted(at, p.account(who), systems...)))
	if err != nil {
		t.Fatal(err)
	}
	it := items[0]
	it.task.Status = status(r)
	if it.doc, err = encode(it.task); err != nil {
		t.Fatal(err)
	}
	return it
}

func write(t testing.TB, l *Ledger, n *needs, items []*item) {
	t.Helper()
	ctx := context.Background()
	f, err := l.db.store.begin(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	b := newBatch(ctx, l.db.store, f)
	for _, it := range items {
		b.fresh = append(b.fresh, &taskRow{n: f.number(), account: f.accounts[it.account], scope: f.scopes[it.scope], task: it.task, doc: it.doc, fresh: it})
	}
	c, err := b.finish(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.db.store.commit(ctx, c); err != nil {
		t.Fatal(err)
	}
}
