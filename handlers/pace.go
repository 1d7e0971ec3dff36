package handlers

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/resetd/resetd/schemas"
)

// How often one token may have systems asked directly, for a look or a check: enough for people, and for a script that
// goes through a list; too little to search a directory by trying names, or to use up what the resets need of its rate.
const (
	looksPerSecond = 2
	looksAtOnce    = 20
)

// pace bounds what each caller may ask of the systems. Callers are tokens of the configuration, so there are few.
type pace struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*rate.Limiter
}

// let takes one call of a caller, or answers 429 and says when there is room for it.
func (p *pace) let(caller string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[string]*rate.Limiter{}
	}
	l := p.by[caller]
	if l == nil {
		l = rate.NewLimiter(looksPerSecond, looksAtOnce)
		p.by[caller] = l
	}
	now := p.now()
	turn := l.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	turn.CancelAt(now)
	problem := schemas.NewProblem(http.StatusTooManyRequests, "too_many_looks", "This token asks the systems too often",
		"Each look and each check asks the IAM systems directly; send it again after the time in Retry-After.")
	problem.RetryAfter = wait
	return problem
}
