package connectors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestEveryErrorBecomesAFailure(t *testing.T) {
	var none *schemas.Failure
	for name, one := range map[string]struct {
		err  error
		code schemas.Code
	}{
		"a failure":                  {schemas.Fail(schemas.CodeAccountAmbiguous, "two"), schemas.CodeAccountAmbiguous},
		"a wrapped failure":          {fmt.Errorf("around: %w", schemas.Fail(schemas.CodeConflict, "x")), schemas.CodeConflict},
		"a plain error":              {errors.New("boom"), schemas.CodeUnexpected},
		"a failure with no code":     {&schemas.Failure{Detail: "x"}, schemas.CodeUnexpected},
		"a failure with a free code": {schemas.Fail("teapot", "x"), schemas.CodeUnexpected},
		"a failure that says ok":     {schemas.Fail(schemas.CodeOK, "x"), schemas.CodeUnexpected},
		"a failure that is nil":      {none, schemas.CodeUnexpected},
		"a deadline of its own":      {context.DeadlineExceeded, schemas.CodeTimedOut},
	} {
		r := newRoom(t, &scripted{resolve: func(context.Context) (schemas.Identity, error) { return schemas.Identity{ID: "1"}, one.err }}, nil)
		id, err := r.resolve(t.Context())
		wantCode(t, name, err, one.code)
		if _, ok := errors.AsType[*schemas.Failure](err); !ok || id != (schemas.Identity{}) {
			t.Errorf("%s: %T beside %+v; want a Failure beside nothing", name, err, id)
		}
	}
}

func TestFailureKeepsWhatMatters(t *testing.T) {
	r := newRoom(t, &scripted{resolve: func(context.Context) (schemas.Identity, error) {
		f := schemas.Fail(schemas.CodeRateLimited, "slow down").Because(io.ErrUnexpectedEOF)
		f.RetryAfter = 7 * time.Minute // too long to wait for in place
		return schemas.Identity{}, f
	}}, nil)
	_, err := r.resolve(t.Context())
	f, _ := errors.AsType[*schemas.Failure](err)
	if f == nil || f.RetryAfter != 7*time.Minute || f.Detail != "slow down" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the failure became %+v", f)
	}
}

func TestSystemThatHangsEndsWithItsTimeout(t *testing.T) {
	hang := &scripted{resolve: func(ctx context.Context) (schemas.Identity, error) {
		<-ctx.Done()
		return schemas.Identity{}, ctx.Err()
	}}
	r := newRoom(t, hang, func(s *connectors.System, _ *connectors.Options) { s.Timeout = 20 * time.Millisecond })
	_, err := r.resolve(t.Context())
	wantCode(t, "time-out", err, schemas.CodeTimedOut)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the cause is not the deadline")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = newRoom(t, hang, nil).resolve(ctx)
	wantCode(t, "given up", err, schemas.CodeTimedOut)
	if !errors.Is(err, context.Canceled) {
		t.Error("the cause is not the caller's context")
	}
	quiet := &scripted{}
	_, err = newRoom(t, quiet, nil).resolve(ctx)
	wantCode(t, "given up before", err, schemas.CodeTimedOut)
	if quiet.calls.Load() != 0 {
		t.Error("the connector was called although the caller had given up")
	}
}

func TestPanicIsAnErrorAndItsPlaceIsLogged(t *testing.T) {
	for name, value := range map[string]any{"a text": "the password is " + secret, "an error": errors.New(secret), "an index": nil} {
		r := newRoom(t, &scripted{receipt: func(context.Context) (schemas.Receipt, error) {
			if value == nil {
				_ = []int{}[len(name)]
			}
			panic(value)
		}}, nil)
		_, err := r.Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
		wantCode(t, name, err, schemas.CodeUnexpected)
		log := r.log.String()
		if !strings.Contains(log, "set_test.go:") || !strings.Contains(log, `"step":"reset"`) {
			t.Errorf("%s: the log does not have the place: %s", name, log)
		}
		if strings.Contains(log+err.Error(), secret) || strings.Contains(log, "0x") {
			t.Errorf("%s: the log has a secret or arguments: %s", name, log)
		}
		if value == nil && !strings.Contains(log, "index out of range") {
			t.Errorf("the runtime's own words are missing: %s", log)
		}
	}
}

func TestNoSecretLeavesASystem(t *testing.T) {
	forms := secret + " Bind-Secret%2F42%2Bx QmluZC1TZWNyZXQvNDIreA=="
	c := &scripted{
		probe: func(context.Context) (schemas.Capabilities, error) {
			return schemas.Capabilities{Product: forms, Missing: []string{forms}, Warn: []string{forms}}, nil
		},
		resolve: func(context.Context) (schemas.Identity, error) {
			return schemas.Identity{}, schemas.Fail(schemas.CodeUnavailable, "%s", forms).Because(errors.New(forms))
		},
		receipt: func(context.Context) (schemas.Receipt, error) {
			return schemas.Receipt{Code: schemas.CodeOK, Detail: forms}, nil
		},
		class: schemas.Class{Why: forms}, proof: schemas.Proof{Detail: forms}, closed: errors.New(forms),
	}
	r := newRoom(t, c, nil)
	id := schemas.Identity{ID: "1"}
	probe, err1 := r.Probe(t.Context(), "corp")
	_, err2 := r.resolve(t.Context())
	class, err3 := r.Classify(t.Context(), "corp", id)
	reset, err4 := r.Reset(t.Context(), "corp", id, schemas.ModeRandomize)
	revoke, err5 := r.Revoke(t.Context(), "corp", id)
	proof, err6 := r.Verify(t.Context(), "corp", id, schemas.Evidence{})
	pre := r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
	closing := r.Close()
	said := fmt.Sprintf("%+v %+v %+v %+v %+v %s", probe, class, reset, revoke, proof, r.log)
	for _, err := range []error{err1, err2, err3, err4, err5, err6, pre, closing} {
		for ; err != nil; err = errors.Unwrap(err) {
			said += fmt.Sprintf(" %v %+v", err, err)
		}
	}
	for _, form := range strings.Fields(forms) {
		if strings.Contains(said, form) {
			t.Errorf("%q left the system: %s", form, said)
		}
	}
	if strings.Count(said, schemas.Redacted) < 15 || err2 == nil || pre == nil || closing == nil {
		t.Errorf("something that was to be seen is missing: %s", said)
	}
}

func TestReceiptsThatAreNone(t *testing.T) {
	id := schemas.Identity{ID: "1"}
	for _, one := range []struct {
		code          schemas.Code
		reset, revoke schemas.Code // what becomes of it
	}{
		{schemas.CodeOK, schemas.CodeOK, schemas.CodeOK},
		{schemas.CodeAlreadyInForce, schemas.CodeOK, schemas.CodeOK},
		{schemas.CodeUnsupported, schemas.CodeUnsupported, schemas.CodeOK},
		{schemas.CodeUnenforced, schemas.CodeUnenforced, schemas.CodeUnenforced},
		{"", schemas.CodeUnexpected, schemas.CodeUnexpected},
		{"teapot", schemas.CodeUnexpected, schemas.CodeUnexpected},
	} {
		r := newRoom(t, &scripted{receipt: func(context.Context) (schemas.Receipt, error) {
			return schemas.Receipt{Code: one.code, Detail: "so"}, nil
		}}, nil)
		got, err := r.Reset(t.Context(), "corp", id, schemas.ModeRandomize)
		wantCode(t, "Reset with "+string(one.code), err, one.reset)
		if err == nil && got.Code != one.code {
			t.Errorf("Reset with %s gave %s", one.code, got.Code)
		}
		got, err = r.Revoke(t.Context(), "corp", id)
		wantCode(t, "Revoke with "+string(one.code), err, one.revoke)
		if err == nil && got.Code != one.code {
			t.Errorf("Revoke with %s gave %s", one.code, got.Code)
		}
	}
	r := newRoom(t, &scripted{resolve: func(context.Context) (schemas.Identity, error) { return schemas.Identity{Name: "x"}, nil }}, nil)
	_, err := r.resolve(t.Context())
	wantCode(t, "an identity without an id", err, schemas.CodeUnexpected)
}

func TestUnknownSystemIsAFailureOfEveryCall(t *testing.T) {
	r := newRoom(t, &scripted{}, nil)
	id := schemas.Identity{ID: "1"}
	_, err1 := r.Probe(t.Context(), "gone")
	_, err2 := r.Resolve(t.Context(), "gone", schemas.Account{})
	_, err3 := r.Classify(t.Context(), "gone", id)
	err4 := r.Preflight(t.Context(), "gone", schemas.ModeExpire)
	_, err5 := r.Reset(t.Context(), "gone", id, schemas.ModeExpire)
	_, err6 := r.Revoke(t.Context(), "gone", id)
	_, err7 := r.Verify(t.Context(), "gone", id, schemas.Evidence{})
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
		wantCode(t, fmt.Sprint("call ", i), err, schemas.CodeUnexpected)
		if !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("call %d: %v is not ErrNotFound", i, err)
		}
	}
}

func TestEachCallLeavesALineAndMetrics(t *testing.T) {
	c := &scripted{}
	r := newRoom(t, c, nil)
	var log strings.Builder
	logger := zerolog.New(&log).With().Str("task", "t-1").Str("source", "soar").Logger()
	if _, err := r.resolve(logger.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.resolve = func(context.Context) (schemas.Identity, error) {
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "nobody")
	}
	_, _ = r.resolve(logger.WithContext(t.Context()))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || r.log.Len() != 0 {
		t.Fatalf("%d lines with the task's logger, %d bytes beside it", len(lines), r.log.Len())
	}
	for i, code := range []string{"ok", "account_not_found"} {
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]any{"task": "t-1", "source": "soar", "system": "corp", "step": "resolve", "code": code} {
			if line[key] != want {
				t.Errorf("line %d: %s is %v, want %v", i, key, line[key], want)
			}
		}
		if took, ok := line["took"].(float64); !ok || took < 0 {
			t.Errorf("line %d: took is %v", i, line["took"])
		}
	}
	// Without a logger in the context it is the set's own.
	_, _ = r.resolve(t.Context())
	if !strings.Contains(r.log.String(), `"step":"resolve"`) {
		t.Error("a call without a logger in its context left no line")
	}
	want := map[string]float64{"ok": 1, "account_not_found": 2}
	got := map[string]float64{}
	seconds := uint64(0)
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "code" && f.GetName() == "resetd_connector_calls_total" {
					got[l.GetValue()] = m.GetCounter().GetValue()
				}
			}
			seconds += m.GetHistogram().GetSampleCount()
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || seconds != 3 {
		t.Errorf("calls by code are %v, want %v; %d durations, want 3", got, want, seconds)
	}
}

func TestSetRefusesWhatCannotWork(t *testing.T) {
	c := &scripted{}
	used := prometheus.NewRegistry()
	if _, err := connectors.NewSet(nil, connectors.Options{Metrics: used}); err != nil {
		t.Fatalf("an empty set: %v", err)
	}
	for name, one := range map[string]struct {
		systems []connectors.System
		metrics prometheus.Registerer
	}{
		"no name":        {[]connectors.System{{Connector: c}}, nil},
		"no connector":   {[]connectors.System{{Name: "a"}}, nil},
		"one name twice": {[]connectors.System{{Name: "a", Connector: c}, {Name: "a", Connector: c}}, nil},
		"metrics twice":  {nil, used},
	} {
		if _, err := connectors.NewSet(one.systems, connectors.Options{Metrics: one.metrics}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	set, err := connectors.NewSet([]connectors.System{{Name: "b", Kind: "k", Connector: c, Permitted: func() bool { return true }}, {Name: "a", Connector: c, Timeout: time.Second}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := set.Systems()
	if len(got) != 2 || got[0] != (connectors.Info{Name: "b", Kind: "k", Granted: true, Timeout: connectors.DefaultTimeout,
		Condition: connectors.Condition{State: connectors.StateClosed, Share: 1}}) || got[1].Name != "a" || got[1].Timeout != time.Second {
		t.Errorf("Systems: %+v", got)
	}
}

// A connector that forgets to encrypt must not put an open password into the task.
func TestOnlyWhatIsSealedLeavesAsSealed(t *testing.T) {
	const armoured = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"
	for given, want := range map[string]string{armoured: armoured, "Winter2026!": "", "": ""} {
		c := &scripted{receipt: func(context.Context) (schemas.Receipt, error) {
			return schemas.Receipt{Code: schemas.CodeOK, Sealed: given}, nil
		}}
		got, err := newRoom(t, c, nil).Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
		if err != nil || got.Sealed != want {
			t.Errorf("%q leaves as %q, %v", given, got.Sealed, err)
		}
	}
}
