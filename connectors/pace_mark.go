package connectors

import "time"

// mark is where a call that was let through is noted. The zero value is a call that is not.
type mark struct {
	at   *time.Time
	when time.Time // what is noted there; something else means that the place has been taken by a later call
}

// longestWay bounds what a slow call is thought to have lost on its way to the system.
const longestWay = 30 * time.Millisecond

// ended takes how long a call took. What it took more than usual may have been lost before it reached the system, by this
// machine or by the network, so it is noted as that much later: the one that follows it by the whole count of the rate
// must be a whole second behind it as the system sees it.
func (p *pace) ended(m mark, step string, now time.Time) {
	if m.at == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	took := now.Sub(m.when)
	usual, known := p.usual[step]
	if !known || took < usual {
		p.usual[step] = took
		return
	}
	p.usual[step] = usual + (took-usual)/1000 // systems become slower too
	if more := min(took-usual-way, longestWay); more > 0 && m.at.Equal(m.when) {
		*m.at = m.when.Add(more)
	}
}
