package jobs

import (
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// rememberedLeads is how many accounts, at least, this process remembers to have taken a task for.
const rememberedLeads = 16384

// leads remembers, by the account as senders name it, which task was first to ask for its reset. It saves those that come
// after it every call to the system, and the ledger every question: what is forgotten here, or known to another process
// only, is found out when the system has told which account it is (Ledger.Intend). Nothing here is the truth; it is looked
// up before it counts.
type leads struct {
	mu         sync.Mutex
	young, old map[Subject]lead
}

type lead struct {
	task string
	over time.Time // when its reset was made; zero if that is not known
}

func newLeads() *leads { return &leads{young: map[Subject]lead{}} }

func (l *leads) get(s Subject) (lead, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one, ok := l.young[s]; ok {
		return one, true
	}
	one, ok := l.old[s]
	return one, ok
}

// put makes a task the first. When the young are many they become the old, and those are forgotten.
func (l *leads) put(s Subject, task string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store(s, lead{task: task})
}

func (l *leads) store(s Subject, one lead) {
	if len(l.young) >= rememberedLeads {
		l.old, l.young = l.young, make(map[Subject]lead, rememberedLeads)
	}
	l.young[s] = one
}

// ended notes when a reset of the first one was made, so that nobody looks it up when that is long ago.
func (l *leads) ended(s Subject, t schemas.Task, n schemas.Enforcement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.young[s]
	if !ok {
		one = l.old[s]
	}
	if one.task == t.ID && n.Status == schemas.StatusSuccessful {
		l.store(s, lead{task: t.ID, over: endOf(t, n).FinishedAt})
	}
}
