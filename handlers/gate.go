package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// gate holds one source to its limits. What is beyond them may pass later, so it is 429 with a time, and never for good.
type gate struct {
	deliveries, asked *rate.Limiter
	limits            source.Limits
}

func newGate(l source.Limits) *gate {
	return &gate{deliveries: limiter(l.Deliveries), asked: limiter(l.Requests), limits: l}
}

// limiter lets a whole allowance through at once, and fills it up evenly; nil for no bound.
func limiter(r source.Rate) *rate.Limiter {
	if r.Count == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(r.Count)/r.Per.Seconds()), r.Count)
}

// delivery takes one verified delivery, or answers 429.
func (g *gate) delivery(now time.Time) error {
	return g.take(g.deliveries, now, 1, fmt.Sprintf("It may send %d deliveries in %s (limits.deliveries).", g.limits.Deliveries.Count, g.limits.Deliveries.Per))
}

// requests takes what one delivery asks for, whole or not at all.
func (g *gate) requests(now time.Time, n int) error {
	if g.asked != nil && n > g.asked.Burst() {
		return schemas.NewProblem(http.StatusUnprocessableEntity, "over_quota", "The delivery asks for more than the source's quota",
			fmt.Sprintf("It asks for %d resets, and the source may ask for %d in %s (limits.requests); split it, or let an administrator raise the limit.",
				n, g.limits.Requests.Count, g.limits.Requests.Per))
	}
	return g.take(g.asked, now, n, fmt.Sprintf("It may ask for %d resets in %s (limits.requests).", g.limits.Requests.Count, g.limits.Requests.Per))
}

// giveBack returns what a delivery took that was not accepted, or had been before.
func (g *gate) giveBack(now time.Time, n int) {
	if g.asked != nil {
		g.asked.ReserveN(now, -n)
	}
}

func (g *gate) take(l *rate.Limiter, now time.Time, n int, detail string) error {
	if l == nil || n == 0 {
		return nil
	}
	turn := l.ReserveN(now, n)
	wait := turn.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	turn.CancelAt(now)
	p := schemas.NewProblem(http.StatusTooManyRequests, "throttled", "The source sends more than its limit", detail+" Send it again after the time in Retry-After.")
	p.RetryAfter = wait
	return p
}

// refusals hold back addresses that keep sending what is refused: whoever tries secrets, a sender that lost its key and
// does not stop, or bodies that cannot be read. Deliveries that are proved cost nothing here, so a storm of them passes.
type refusals struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu sync.Mutex
	by map[netip.Prefix]*rate.Limiter
}

// How many addresses are remembered. An attacker with more of them than that is not held back by this.
const mostAddresses = 10_000

// DefaultRefusals is how many refused deliveries an address may send; it may send ten seconds' worth at once.
var DefaultRefusals = source.Rate{Count: 10, Per: time.Second}

func newRefusals(r source.Rate, now func() time.Time) *refusals {
	perSecond := float64(r.Count) / r.Per.Seconds()
	return &refusals{limit: rate.Limit(perSecond), burst: max(1, int(10*perSecond)), now: now, by: map[netip.Prefix]*rate.Limiter{}}
}

// open answers 429 to an address that has sent too much that was refused, before anything else is done for it.
func (r *refusals) open(a netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.by[network(a)]
	if l == nil || l.TokensAt(r.now()) >= 1 {
		return nil
	}
	p := schemas.NewProblem(http.StatusTooManyRequests, "too_many_refusals", "This address has sent too much that was refused",
		"Look at why its deliveries are refused (the answers before this one, or resetd's log). It may try again after the time in Retry-After.")
	p.RetryAfter = time.Duration(float64(time.Second) * max(1, (1-l.TokensAt(r.now()))/float64(r.limit)))
	return p
}

// count notes a refusal.
func (r *refusals) count(a netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := network(a)
	l := r.by[at]
	if l == nil {
		if len(r.by) >= mostAddresses {
			r.forget()
		}
		l = rate.NewLimiter(r.limit, r.burst)
		r.by[at] = l
	}
	l.AllowN(r.now(), 1)
}

// forget drops those who have all their allowance again, or, if there are none, everybody: the memory is bounded.
func (r *refusals) forget() {
	for at, l := range r.by {
		if l.TokensAt(r.now()) >= float64(r.burst) {
			delete(r.by, at)
		}
	}
	if len(r.by) >= mostAddresses {
		clear(r.by)
	}
}

// network is what counts as one address: for IPv6 the /64 that one subscriber has.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits) // fails for no address, which is one of its own
	return p
}
