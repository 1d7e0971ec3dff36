package handlers

import (
	"net/http"
	"sync"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// tally counts what came from one source since this process began.
type tally struct {
	mu     sync.Mutex
	counts schemas.SourceCounts
}

// note counts what came of one delivery, by the code and the status of its answer.
func (t *tally) note(code, reason string, status int, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := &t.counts
	n.LastAt = at
	switch {
	case code == "accepted":
		n.Accepted++
	case code == "replayed":
		n.Replayed++
	case code == "ignored", code == "nothing_asked":
		n.Ignored++
	case code == "handshake":
		n.Handshakes++
	case status == http.StatusTooManyRequests:
		n.Throttled++
	default:
		n.Refused++
		n.LastRefusal, n.LastRefusalAt = code, at
		if reason != "" {
			n.LastRefusal = reason
		}
	}
}

func (t *tally) get() schemas.SourceCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// sources lists the sources, with what came from each.
func (f *Face) sources(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	out := []schemas.SourceState{}
	for _, name := range f.Sources.Names() {
		src, _ := f.Sources.Find(name)
		out = append(out, f.sourceState(src))
	}
	return c.answer(http.StatusOK, schemas.SourceList{Sources: out})
}

// received records what came of one delivery.
func (f *Face) received(c *call) {
	f.metrics.delivery(c)
	if t := f.tallies[c.source]; t != nil {
		t.note(c.code, c.reason, c.Writer.Status(), f.Now())
	}
}

func (f *Face) sourceState(src *source.Source) schemas.SourceState {
	return schemas.SourceState{Name: src.Name, Preset: src.Preset, Title: src.Title, Scheme: src.Scheme, Weak: src.Weak,
		Limits: schemas.SourceLimits{Deliveries: src.Limits.Deliveries.String(), Requests: src.Limits.Requests.String()},
		Counts: f.tallies[src.Name].get()}
}
