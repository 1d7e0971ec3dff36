package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// patient is a delivery whose waits are written down and not waited for.
func (f *fakeAPI) patient(waits *[]time.Duration) delivery {
	body, err := schemas.Encode(schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: time.Now(),
		Data: schemas.Requests{Items: []schemas.Request{{Account: schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"}}}}})
	if err != nil {
		panic(err)
	}
	return delivery{source: "soar", id: "msg_1", body: body, key: f.key, notes: io.Discard, pause: func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}}
}

// busy refuses the first calls with a status and a header.
func busy(times, status int, retryAfter string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n > times {
			return false
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		problem(w, schemas.NewProblem(status, "overloaded", "resetd cannot take more", "Try again later."))
		return true
	}
}

func TestADeliveryIsTriedAgainUnderTheSameID(t *testing.T) {
	for name, c := range map[string]struct {
		before func(http.ResponseWriter, *http.Request, int) bool
		status int
		waits  []time.Duration
	}{
		"busy twice":                 {busy(2, 503, ""), 202, []time.Duration{firstPause, 2 * firstPause}},
		"with the time to wait":      {busy(1, 503, "7"), 202, []time.Duration{7 * time.Second}},
		"rate limited":               {busy(1, 429, "2"), 202, []time.Duration{2 * time.Second}},
		"a proxy without a resetd":   {busy(1, 502, ""), 202, []time.Duration{firstPause}},
		"with nonsense to wait":      {busy(1, 503, "soon"), 202, []time.Duration{firstPause}},
		"busy for too long":          {busy(9, 503, ""), 503, []time.Duration{firstPause, 2 * firstPause, 4 * firstPause, 8 * firstPause}},
		"asked to wait for an hour":  {busy(9, 503, "3600"), 503, nil},
		"refused, which stays so":    {busy(9, 422, "1"), 422, nil},
		"broken, which may be a bug": {busy(9, 500, "1"), 500, nil},
		"cut off in the middle": {func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			return false
		}, 202, []time.Duration{firstPause}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.before = c.before
			var waits []time.Duration
			got, err := f.patient(&waits).post(t.Context(), newClient(f.URL, schemas.Secret{}))
			if err != nil || got.status != c.status || !slices.Equal(waits, c.waits) {
				t.Fatalf("got %d, %v after %v", got.status, err, waits)
			}
			if len(f.ids) != len(c.waits)+1 || len(slices.Compact(f.ids)) != 1 {
				t.Fatalf("ids: %v", f.ids)
			}
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "x": 0, "Sun, 22 Nov 2026 07:00:09 GMT": 9 * time.Second, "Sun, 22 Nov 2026 06:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestAResetdThatIsNotThereIsToldWithWhatToDo(t *testing.T) {
	f := newFakeAPI(t)
	var waits []time.Duration
	d := f.patient(&waits)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	_ = l.Close()
	_, err = d.post(t.Context(), newClient(address, schemas.Secret{}))
	if e, ok := errors.AsType[*exit](err); !ok || e.status != exitRefused || !strings.Contains(err.Error(), "resetd serve") || len(waits) != postAttempts-1 {
		t.Fatalf("%v after %v", err, waits)
	}
	r := resetd("", "tasks", "list", "--url", address, "-c", f.site(t))
	r.want(t, exitRefused, "", address+" cannot be reached")
	if strings.Count(r.err, address) != 1 {
		t.Fatalf("said twice: %s", r.err)
	}
}

func TestAnInterruptEndsTheTrying(t *testing.T) {
	f := newFakeAPI(t)
	f.before = busy(9, 503, "5")
	var waits []time.Duration
	d := f.patient(&waits)
	ctx, cancel := context.WithCancel(t.Context())
	d.pause = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	if _, err := d.post(ctx, newClient(f.URL, schemas.Secret{})); err == nil || !strings.Contains(err.Error(), "interrupted") || len(f.ids) != 1 {
		t.Fatalf("%v, %v", err, f.ids)
	}
	if err := pause(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestAWaitOutlivesARestart(t *testing.T) {
	f := newFakeAPI(t)
	f.tasks["task-1"] = sampleTask("task-1", "soar", schemas.Request{})
	f.before = busy(1, 503, "")
	c := newClient(f.URL, schemas.NewSecret(testToken))
	got, err := c.await(t.Context(), "task-1", time.Now().Add(time.Minute))
	if err != nil || got.Status != schemas.StatusSuccessful || len(f.seen) != 2 {
		t.Fatalf("%s, %v, %v", got.Status, err, f.seen)
	}
	_, err = c.await(t.Context(), "task-9", time.Now().Add(time.Minute))
	if e, ok := errors.AsType[*exit](err); !ok || e.status != exitRefused {
		t.Fatalf("an unknown task: %v", err)
	}
}
