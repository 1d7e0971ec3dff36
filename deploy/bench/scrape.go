package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The counters of resetd that this program reads.
const (
	metricAccepted = "resetd_tasks_accepted_total"
	metricFinished = "resetd_enforcements_finished_total"
	metricWriting  = "resetd_ledger_batch_seconds"
	metricWrites   = "resetd_ledger_batch_operations"
	metricMissed   = "resetd_system_turns_missed_total"
	metricCalls    = "resetd_connector_calls_total"
)

// scrape is what /metrics said at one moment.
type scrape struct {
	at       time.Time
	accepted float64 // tasks
	finished float64 // enforcements, whatever came of them
	good     float64 // of these, those that succeeded
	missed   float64 // turns of a system's rate that nobody used in time
	resets   float64 // calls that set a password

	commits, writes, writing float64 // transactions of the ledger, operations in them, and seconds that they took
}

// scrape reads /metrics. The moment is the middle of the call.
func (s *stage) scrape(ctx context.Context) (scrape, error) {
	began := time.Now()
	var text []byte
	code, err := s.client.Get(ctx, "/metrics", &text)
	if err != nil || code != http.StatusOK {
		return scrape{}, fmt.Errorf("read /metrics: HTTP %d: %w", code, err)
	}
	out := scrape{at: began.Add(time.Since(began) / 2)}
	out.accepted = sum(string(text), metricAccepted, "")
	out.finished = sum(string(text), metricFinished, "")
	out.commits, out.writing = sum(string(text), metricWriting+"_count", ""), sum(string(text), metricWriting+"_sum", "")
	out.writes = sum(string(text), metricWrites+"_sum", "")
	out.missed = sum(string(text), metricMissed, "")
	out.resets = sum(string(text), metricCalls, `step="reset"`)
	out.good = sum(string(text), metricFinished, `event="succeeded"`)
	return out, nil
}

// writer says how the ledger's one writer spent the time between two readings: how many operations shared a commit, how
// long that took in the mean, and for which share of the time one was under way.
func (r *report) writer(what string, from, to reading) {
	commits := max(1, to.commits-from.commits)
	r.tell(what+"operations per commit", "", (to.writes-from.writes)/commits)
	r.tell(what+"commit, mean", "ms", 1000*(to.writing-from.writing)/commits)
	r.tell(what+"writer busy", "% of the time", 100*(to.writing-from.writing)/to.at.Sub(from.at).Seconds())
}

// sum adds the values of all series of a metric whose labels contain a text.
func sum(text, metric, label string) (total float64) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, metric)
		if !ok || rest[0] != '{' && rest[0] != ' ' || !strings.Contains(rest, label) {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' ')+1:]), 64)
		if err == nil {
			total += value
		}
	}
	return total
}

// reading is what resetd has done, and what it and everybody else have used, until a moment.
type reading struct {
	scrape
	cpu   time.Duration // of resetd
	other time.Duration // of all that does not belong to the run
	err   error
}

func (s *stage) reading(ctx context.Context) reading {
	got, err := s.scrape(ctx)
	r := reading{scrape: got}
	pids := []int{s.process.PID()}
	if s.redis != nil {
		pids = append(pids, s.redisPID)
	}
	all, errAll := machineBusy()
	own, errOwn := ownUse(pids...)
	cpu, errCPU := s.process.CPU()
	r.cpu, r.other, r.err = cpu, all-own, errors.Join(err, errAll, errOwn, errCPU)
	return r
}

// cores is how many processors resetd has used since an earlier reading, in the mean.
func (r reading) cores(earlier reading) float64 {
	return float64(r.cpu-earlier.cpu) / float64(r.at.Sub(earlier.at))
}

// others is the same of all that does not belong to the run. The kernel counts in ticks, so that nothing may come out
// slightly below zero.
func (r reading) others(earlier reading) float64 {
	return max(0, float64(r.other-earlier.other)/float64(r.at.Sub(earlier.at)))
}

// redisPID asks a Redis for its process id.
func redisPID(ctx context.Context, url string) (int, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return 0, err
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	text, err := client.Info(ctx, "server").Result()
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(text, "process_id:")
	pid, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(pid)
}
