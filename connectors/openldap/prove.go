package openldap

import (
	"context"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// changeAfterReset is the policy error by which a server lets somebody in for nothing but a change of password
// (draft-behera-ldap-password-policy §6.2).
const changeAfterReset = 2

// learnedFor is how long the server's own word about a policy is believed.
const learnedFor = time.Hour

// learned is what servers showed about policies that cannot be read, by the policy's name; the empty name is the default.
type learned struct {
	mu    sync.Mutex
	facts map[string]fact
}

type fact struct {
	state policyState
	until time.Time
}

// recall gives what is still believed.
func (l *learned) recall(name string) policyState {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.facts[name]; time.Now().Before(f.until) {
		return f.state
	}
	return policyUnknown
}

// keep notes what a server has just shown.
func (l *learned) keep(name string, state policyState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.facts == nil {
		l.facts = map[string]fact{}
	}
	l.facts[name] = fact{state, time.Now().Add(learnedFor)}
}

// prove settles what an unreadable policy does, while the new password is still known: it signs in with it once, and the
// server either demands a change or does not. The directory sees a log-in of the account from here, which is why this is
// done only when the configuration leaves no other way.
func (d *directory) prove(ctx context.Context, at ldapconn.Server, a account, password string, p policy) policy {
	// A connection of its own, to the server that took the password: the copies may not have it yet.
	s, f := d.pool.Dialer.Protected(ctx, at)
	if f != nil {
		return p
	}
	defer s.Close()
	said, err := bind(ctx, s, a.dn, schemas.NewSecret(password))
	switch {
	case err != nil: // locked, or no answer: nothing is learned
		return p
	case said == changeAfterReset:
		p.state = policyStrict
	default:
		p.state = policyLax
	}
	d.learned.keep(p.name, p.state)
	return p.explained()
}

// explained says what a policy that was learned does.
func (p policy) explained() policy {
	switch p.state {
	case policyStrict:
		p.why = "the server demanded the change when resetd tried the password that it had set"
	case policyLax:
		p.why = "the server let resetd in with the password that it had set, without demanding a change; set pwdMustChange TRUE in the password policy"
	}
	return p
}
