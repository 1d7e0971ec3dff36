package queue

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// logEvery is how often a message of the same kind is logged. asynq repeats itself for every task and every server.
const logEvery = 30 * time.Second

// asynqLog is asynq's logger. It says in our words what matters, passes on what it does not know, and keeps quiet while
// Redis is down or the worker closes: both are told elsewhere, once.
type asynqLog struct {
	log   zerolog.Logger
	hide  *redactor
	quiet func() bool

	mu    sync.Mutex
	kinds map[string]*logged
}

type logged struct {
	last    time.Time
	swallow int
}

func newAsynqLog(q *Queue, w *Worker) *asynqLog {
	return &asynqLog{
		log: w.log, hide: q.hide, kinds: map[string]*logged{},
		quiet: func() bool {
			select {
			case <-w.closing:
				return true
			default:
				return q.health.down.Load()
			}
		},
	}
}

// asynqSays are the messages of asynq v0.26.0 that an operator may meet, by a part of their text, and what they mean.
// The first that fits counts.
var asynqSays = []struct {
	part  string
	means string
	level zerolog.Level
}{
	{"NOT FOUND", "redis had lost a wake-up when its work was done, after a flush or because another worker took over; nothing is " +
		"lost, the ledger has the result", zerolog.InfoLevel},
	{"Dequeue error", "redis refuses to hand out work; it is asked again every second", zerolog.ErrorLevel},
	{"Could not remove", "redis did not take note that a work is done; asynq tries again until its lease ends", zerolog.WarnLevel},
	{"Failed to extend lease", "redis does not take asynq's leases; the ledger's own leases govern", zerolog.WarnLevel},
	{"Lease reset failed", "redis was away for longer than asynq's leases; the ledger's own leases govern", zerolog.InfoLevel},
	{"Retry exhausted", "asynq gave a work up that this process still handles, because redis was away or the clock jumped; the " +
		"ledger's own leases govern", zerolog.InfoLevel},
	{"server state", "redis does not take asynq's sign of life; it shows in asynq's tools only", zerolog.WarnLevel},
	{"cancelation channel", "redis does not allow SUBSCRIBE on asynq:cancel; nothing here needs it, but asynq keeps trying", zerolog.WarnLevel},
}

// Debug drops the message.
func (a *asynqLog) Debug(...any) {}

// Info drops the message.
func (a *asynqLog) Info(...any) {}

// Warn logs the message as a warning.
func (a *asynqLog) Warn(args ...any) { a.write(zerolog.WarnLevel, fmt.Sprint(args...)) }

// Error logs the message as an error.
func (a *asynqLog) Error(args ...any) { a.write(zerolog.ErrorLevel, fmt.Sprint(args...)) }

// Fatal logs the message as an error. asynq means to end the process with it; whether a process ends is not its affair.
func (a *asynqLog) Fatal(args ...any) { a.write(zerolog.ErrorLevel, fmt.Sprint(args...)) }

func (a *asynqLog) write(level zerolog.Level, text string) {
	if a.quiet() {
		return
	}
	text = a.hide.text(text)
	kind, means := "", "asynq reports"
	for _, s := range asynqSays {
		if strings.Contains(text, s.part) {
			kind, means, level = s.part, s.means, s.level
			break
		}
	}
	swallowed, ok := a.due(kind)
	if !ok {
		return
	}
	a.log.WithLevel(level).Str("asynq", text).Int("more_like_it", swallowed).Msg(means)
}

// due tells whether a message of this kind may be logged now, and how many were swallowed since the last.
func (a *asynqLog) due(kind string) (swallowed int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.kinds[kind]
	if k == nil {
		k = &logged{}
		a.kinds[kind] = k
	}
	if time.Since(k.last) < logEvery {
		k.swallow++
		return 0, false
	}
	swallowed, k.swallow, k.last = k.swallow, 0, time.Now()
	return swallowed, true
}

// redisLog is go-redis's logger: every failed dial of every goroutine, for whoever looks closely. What an operator needs
// to know, health says once.
type redisLog struct {
	log  zerolog.Logger
	hide *redactor
}

// Printf logs at debug level.
func (r redisLog) Printf(_ context.Context, format string, v ...any) {
	r.log.Debug().Str("redis", r.hide.text(fmt.Sprintf(format, v...))).Msg("go-redis reports")
}
