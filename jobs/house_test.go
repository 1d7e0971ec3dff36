package jobs_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/jobs/ledger"
	"github.com/resetd/resetd/jobs/queue"
	"github.com/resetd/resetd/schemas"
)

// house is a service on a real ledger and the real embedded queue, with scripted systems and receivers around it.
type house struct {
	t       *testing.T
	dir     string
	ledger  *ledger.Ledger
	queue   jobs.Queue
	real    *queue.Queue
	systems *systems
	post    *postman
	svc     *jobs.Service
	names   []string
	filter  func(jobs.Queue) jobs.Queue
	wrap    func(jobs.Ledger) jobs.Ledger
	held    func(system string) (time.Time, bool)
	rules   map[string]jobs.SystemRule
	lease   time.Duration // zero is that of quick
	allowed []string      // what soar may act on; all names unless set
	// sources are those beside soar, with the same rights; coalesce is the window of all, and none if it is zero: most tests
	// ask for one account again and again.
	sources  []string
	coalesce time.Duration
	rule     *jobs.SourceRule // that of soar, if it is another
	now      func() time.Time
	metrics  *prometheus.Registry
	url      string // of the ledger; sqlite unless set
}

// quick makes leases and sweeps short enough for tests; what they bound stays the same.
var quick = jobs.Timing{Lease: 400 * time.Millisecond, Settle: 100 * time.Millisecond, Sweep: 20 * time.Millisecond, RetryFor: time.Minute, WaitFor: time.Minute, HeldFor: 300 * time.Millisecond}

// patient gives claims that outlast a stall of a crowded machine, for tests that count claims and never lose one.
func patient(h *house) { h.lease = 10 * time.Second }

func (h *house) timing() jobs.Timing {
	t := quick
	if h.lease > 0 {
		t.Lease = h.lease
	}
	return t
}

// newHouse builds one with the systems a and b, and the source soar that may act on both.
func newHouse(t *testing.T, change ...func(*house)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), systems: newSystems(), post: &postman{}, names: []string{"a", "b"}}
	for _, c := range change {
		c(h)
	}
	h.open()
	t.Cleanup(h.close)
	return h
}

func (h *house) open() {
	h.t.Helper()
	ctx := h.t.Context()
	var err error
	if h.ledger, err = ledger.Open(ctx, ledger.Options{URL: cmp.Or(h.url, "sqlite"), Dir: h.dir, Now: time.Now, Logger: zerolog.Nop()}); err != nil {
		h.t.Fatal(err)
	}
	if h.real, err = queue.Open(ctx, queue.Options{URL: "embedded", Logger: zerolog.Nop()}); err != nil {
		h.t.Fatal(err)
	}
	h.queue = h.real
	if h.filter != nil {
		h.queue = h.filter(h.real)
	}
	var book jobs.Ledger = h.ledger
	if h.wrap != nil {
		book = h.wrap(book)
	}
	allowed := h.allowed
	if allowed == nil {
		allowed = []string{"a", "b"}
	}
	sources := map[string]jobs.SourceRule{}
	for _, name := range append([]string{"soar"}, h.sources...) {
		sources[name] = jobs.SourceRule{Systems: allowed, Events: []string{"final"}, Coalesce: cmp.Or(h.coalesce, -1)}
	}
	if h.rule != nil {
		sources["soar"] = *h.rule
	}
	now := h.now
	if now == nil {
		now = time.Now
	}
	h.metrics = prometheus.NewRegistry()
	h.svc, err = jobs.New(jobs.Options{Ledger: book, Queue: h.queue, Enforcer: h.systems, Poster: h.post, Plan: plan,
		NextDelay: func(n int, after time.Duration) (time.Duration, bool) {
			return max(after, 10*time.Millisecond), n < 5
		},
		Sources: sources, Metrics: h.metrics,
		Systems: h.names, Rules: h.rules, Window: 100, Instance: "test", Now: now, Logger: zerolog.New(zerolog.NewTestWriter(h.t)).Level(zerolog.WarnLevel), Timing: h.timing(), Held: h.held})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, name := range h.names {
		if _, err := h.real.Serve(jobs.QueueOf(name), 8, h.svc.HandleEnforcement); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.real.Serve(jobs.CallbackQueue, 8, h.svc.HandleCallback); err != nil {
		h.t.Fatal(err)
	}
	if err := h.svc.Start(ctx); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) close() {
	if h.svc == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = h.real.Close(ctx)
	h.svc.Close()
	_ = h.ledger.Close()
	h.svc = nil
}

// reopen ends the process, as far as a test can, and starts another on the same ledger with an empty queue.
func (h *house) reopen() {
	h.t.Helper()
	h.close()
	h.open()
}

func plan(_ string, c *schemas.CallbackRequest, events []string) (*schemas.CallbackPlan, error) {
	if c == nil {
		return nil, nil
	}
	if len(c.Events) > 0 {
		events = c.Events
	}
	return &schemas.CallbackPlan{URL: c.URL, Events: events}, nil
}

// request asks for an account, with a callback.
func request(account string, systems ...string) schemas.Request {
	return schemas.Request{Account: schemas.Account{Type: schemas.AccountUserName, Value: account}, Systems: systems,
		Callback: &schemas.CallbackRequest{URL: "https://soar.example.com/hook"}}
}

// submit hands requests in under a fresh key and gives the tasks.
func (h *house) submit(requests ...schemas.Request) []schemas.Task {
	h.t.Helper()
	tasks, replay, err := h.svc.Submit(h.t.Context(), submission(uuid.NewString(), requests...))
	if err != nil || replay {
		h.t.Fatalf("submit: replay %t, %v", replay, err)
	}
	return tasks
}

func submission(key string, requests ...schemas.Request) schemas.Submission {
	return schemas.Submission{Source: "soar", Key: key, BodyHash: sha256.Sum256([]byte(key)), Actor: "source:soar", Requests: requests}
}

// final waits until a task is final.
func (h *house) final(id string) schemas.Task {
	h.t.Helper()
	return h.until(id, func(t schemas.Task) bool { return t.Status.Final() })
}

func (h *house) until(id string, ok func(schemas.Task) bool) schemas.Task {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		task, err := h.svc.Task(h.t.Context(), id)
		if err != nil {
			h.t.Fatal(err)
		}
		if ok(task) {
			return task
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("task is still %s: %+v", task.Status, task.Enforcements)
		}
	}
}

// callbacksOf waits until the callbacks of a task are settled.
func (h *house) callbacksOf(id string) []schemas.Callback {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		page, err := h.svc.Callbacks(h.t.Context(), schemas.CallbackQuery{TaskID: id})
		if err != nil {
			h.t.Fatal(err)
		}
		open := len(page.Callbacks) == 0
		for _, c := range page.Callbacks {
			open = open || c.State == schemas.CallbackPending
		}
		if !open {
			return page.Callbacks
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("callbacks are not settled: %+v", page.Callbacks)
		}
	}
}

// postman is a receiver of callbacks that follows a script.
type postman struct {
	mu     sync.Mutex
	bodies [][]byte
	ids    []string
	done   [][]string                                   // what each attempt was told to be delivered already
	answer func(n int) (schemas.Attempt, time.Duration) // n counts from 1; nil is 200
}

func (p *postman) Post(_ context.Context, c schemas.Callback, t schemas.Task) (schemas.Attempt, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, err := schemas.Encode(t.Message())
	if err != nil {
		panic(err) // no task of these tests has a time that JSON cannot say
	}
	p.bodies, p.ids, p.done = append(p.bodies, body), append(p.ids, c.ID), append(p.done, c.Done())
	if p.answer == nil {
		return schemas.Attempt{At: time.Now(), HTTPStatus: 200}, 0
	}
	a, after := p.answer(len(p.bodies))
	a.At = time.Now()
	return a, after
}

func (p *postman) sent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.bodies)
}
