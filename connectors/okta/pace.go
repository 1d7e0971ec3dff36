package okta

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
)

// pace is what Okta said last of its rate limit.
type pace struct {
	mu   sync.Mutex
	said string
}

// watch passes on what Okta says of its rate limit beside an answer. Each group of endpoints has a limit of its own, and the
// answer does not name the group; so what is said of one is taken for all.
func (o *org) watch(a *rest.Answer) {
	limit, err1 := strconv.Atoi(a.Header.Get("X-Rate-Limit-Limit"))
	left, err2 := strconv.Atoi(a.Header.Get("X-Rate-Limit-Remaining"))
	if err1 != nil || err2 != nil || limit <= 0 || left < 0 || a.Status == http.StatusTooManyRequests { // that one is a failure, with its own wait
		return
	}
	wait := rest.UntilEpoch(a.Header, "X-Rate-Limit-Reset", time.Now())
	hint := connectors.Hint{Used: 1 - float64(left)/float64(limit)}
	if left == 0 {
		hint.Pause = wait
	}
	o.env.Tell(hint)
	o.pace.mu.Lock()
	defer o.pace.mu.Unlock()
	o.pace.said = fmt.Sprintf("%d of %d calls of this group left, for %s", left, limit, wait.Round(time.Second))
}

func (p *pace) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}
