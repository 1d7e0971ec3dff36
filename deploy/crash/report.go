package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// report is what a trial showed. The upper half must be zero.
type report struct {
	variant                                             string
	lost, twice, notFinal, misled, untold, badCallbacks int
	late                                                time.Duration // the longest that work of the dead process waited for its next worker

	kills, acknowledged int
	statuses            map[string]int
	codes               map[schemas.Code]int
	drained             time.Duration
}

// A dead worker's task must be taken up again within this time of the next start.
const takeUpWithin = 10 * time.Second

func (r *report) broken() int {
	n := r.lost + r.twice + r.notFinal + r.misled + r.untold + r.badCallbacks
	if r.late > takeUpWithin {
		n++
	}
	return n
}

func (r *report) String() string {
	var states []string
	for s, n := range r.statuses {
		states = append(states, fmt.Sprintf("%s %d", s, n))
	}
	slices.Sort(states)
	return fmt.Sprintf("%s: %d kills, %d requests acknowledged\n  lost %d, passwords set twice %d, not final %d, answered with another task %d, callbacks missing %d, callbacks not verified %d\n"+
		"  longest wait for a dead worker's task %s (bound %s), all drained in %s\n  %s; codes %v",
		r.variant, r.kills, r.acknowledged, r.lost, r.twice, r.notFinal, r.misled, r.untold, r.badCallbacks,
		r.late.Round(10*time.Millisecond), takeUpWithin, r.drained.Round(100*time.Millisecond), strings.Join(states, ", "), r.codes)
}

// finish starts resetd a last time, lets it finish, and counts.
func finish(ctx context.Context, s settings, v variant, c *scene, senders *senders, binary string) (*report, error) {
	r := &report{variant: v.name, kills: s.rounds, statuses: map[string]int{}, codes: map[schemas.Code]int{}}
	began := time.Now()
	p, err := c.start(ctx, binary)
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	interrupted, err := c.interrupted(ctx, senders)
	if err != nil {
		return nil, err
	}
	if err := senders.settle(ctx); err != nil {
		return nil, err
	}
	if err := c.drain(ctx, senders, s.drain); err != nil {
		fmt.Fprintln(os.Stderr, v.name+":", err) // counted below, task by task
	}
	r.drained = time.Since(began)
	writes, err := c.slapd.PasswordWrites()
	if err != nil {
		return nil, err
	}
	told, bad := c.receiver.Told()
	r.badCallbacks, r.misled, r.acknowledged = bad, senders.misled, len(senders.acked)
	client := senders.client
	for id, q := range senders.acked {
		var t schemas.Task
		code, err := client.Get(ctx, "/v1/tasks/"+id, &t)
		switch {
		case err != nil:
			return nil, err
		case code == http.StatusNotFound:
			r.lost++
			continue
		case !t.Status.Final():
			r.notFinal++
		case told[id] != string(t.Status):
			r.untold++
		}
		r.statuses[string(t.Status)]++
		r.codes[t.Code]++
		n := writes[strings.ToLower(c.slapd.Person(q.uid).DN)]
		if n > 1 {
			r.twice++
		}
		if t.Status == schemas.StatusSuccessful && n == 0 {
			r.lost++ // called successful, but the directory never saw it
		}
	}
	for _, id := range interrupted {
		wait, err := takenUp(ctx, client, id, began)
		if err != nil {
			return nil, err
		}
		r.late = max(r.late, wait)
	}
	return r, nil
}
