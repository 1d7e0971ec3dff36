package connectors

import (
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// refusedFor is how long no other log-in is tried after one was refused. A thousand tasks that each try a wrong password
// would lock resetd's own account out; most directories count over ten to thirty minutes and allow five tries or more.
const refusedFor = 5 * time.Minute

// login remembers that the system refused resetd's own credentials. Only a probe tries again before the time is over, so a
// person who has mended it can say so by a check.
type login struct {
	mu    sync.Mutex
	until time.Time
	last  string // what the system said
}

// allow gives the refusal again while it is believed.
func (l *login) allow(now time.Time, system string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.Before(l.until) {
		return nil
	}
	return schemas.Fail(schemas.CodeBadCredentials, "%s (not tried again before %s, so that resetd's own account is not locked out; once it is mended, "+
		"`resetd systems check %s` tries at once)", l.last, l.until.UTC().Format(time.RFC3339), system)
}

// heard takes the end of a call. Whatever else the system says, it has let us in.
func (l *login) heard(now time.Time, f *schemas.Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case f == nil:
		l.until = time.Time{}
	case f.Code == schemas.CodeBadCredentials:
		l.until, l.last = now.Add(refusedFor), f.Detail
	}
}
