package googleworkspace

import (
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// How much is remembered, and for how long. A verification follows a reset within seconds.
const (
	memoryLife  = 15 * time.Minute
	memorySweep = time.Minute
	memoryDepth = 8 // readings of one account
)

// memory keeps what Google has acknowledged to this very process, because Google keeps no record of it that could be read:
// there is no time of the last password, and the ETag may stay as it is. What counts is the order of readings and
// acknowledged changes; after a restart nothing is known, which Verify then says.
type memory struct {
	now func() time.Time

	mu       sync.Mutex
	accounts map[string]*recollection
	swept    time.Time
}

// recollection is what is known of one account. Everything that happens has the next number.
type recollection struct {
	last     int
	touched  time.Time
	readings []reading
	demanded int // when a demand to change the password was acknowledged last
	set      int // when a password was acknowledged last
}

// reading is evidence that was handed out, last under that number.
type reading struct {
	evidence schemas.Evidence
	number   int
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, accounts: map[string]*recollection{}, swept: now()}
}

// handed notes that somebody was given this evidence.
func (m *memory) handed(id string, e schemas.Evidence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.next(id)
	for i := range r.readings {
		if r.readings[i].evidence.Same(e) {
			r.readings[i].number = r.last
			return
		}
	}
	if len(r.readings) == memoryDepth {
		r.readings = r.readings[1:]
	}
	r.readings = append(r.readings, reading{e, r.last})
}

// acknowledged notes a change that Google has confirmed.
func (m *memory) acknowledged(id string, password bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.next(id)
	r.demanded = r.last
	if password {
		r.set = r.last
	}
}

// since tells what was acknowledged after that evidence was handed out. For evidence that is not remembered it is nothing.
func (m *memory) since(id string, e schemas.Evidence) (demanded, set bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.accounts[id]
	if r == nil {
		return false, false
	}
	for _, one := range r.readings {
		if one.evidence.Same(e) {
			return r.demanded > one.number, r.set > one.number
		}
	}
	return false, false
}

// next gives the account's recollection with a new number, and lets go of what is old.
func (m *memory) next(id string) *recollection {
	now := m.now()
	if now.Sub(m.swept) > memorySweep {
		for id, r := range m.accounts {
			if now.Sub(r.touched) > memoryLife {
				delete(m.accounts, id)
			}
		}
		m.swept = now
	}
	r := m.accounts[id]
	if r == nil {
		r = &recollection{}
		m.accounts[id] = r
	}
	r.last++
	r.touched = now
	return r
}
