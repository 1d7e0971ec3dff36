package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs/ledger"
	"github.com/resetd/resetd/schemas"
)

const (
	granted    = schemas.PermissionGranted
	notGranted = schemas.PermissionNotGranted
)

// installation is a ledger that several processes may open one after the other, or replicas at once.
type installation struct {
	t       *testing.T
	options ledger.Options
}

// process is what one process knows of permissions.
type process struct {
	*permissions
	ledger *flaky
}

// start begins a process with a configuration of the system corp. An empty permission leaves the system out.
func (i *installation) start(kind string, configured schemas.Permission) process {
	i.t.Helper()
	l, err := ledger.Open(i.t.Context(), i.options)
	if err != nil {
		i.t.Fatal(err)
	}
	c := &config.Config{}
	if configured != "" {
		c.Systems = []config.System{{Name: "corp", Kind: kind, Enforcement: string(configured)}}
	}
	p := process{newPermissions(c, zerolog.Nop()), &flaky{Ledger: l}}
	if p.permitted("corp") {
		i.t.Error("something is permitted before the ledger was read")
	}
	if err := p.load(i.t.Context(), p.ledger); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(p.end)
	return p
}

func (p process) end() {
	p.close()
	_ = p.ledger.Close()
}

func (p process) want(t *testing.T, what string, permission schemas.Permission, from schemas.PermissionOrigin) {
	t.Helper()
	if got := p.state("corp"); got.Permission != permission || got.From != from || p.permitted("corp") != (permission == granted) {
		t.Errorf("%s: %+v, want %s from %s", what, got, permission, from)
	}
}

func (p process) must(t *testing.T, d schemas.Decision) {
	t.Helper()
	if err := p.decide(t.Context(), "corp", d, "token:root", "case "+string(d)); err != nil {
		t.Fatal(err)
	}
}

func (p process) history(t *testing.T) []schemas.PermissionChange {
	t.Helper()
	got, err := p.ledger.PermissionHistory(t.Context(), "corp", 100)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// flaky is a ledger that can be told to fail.
type flaky struct {
	*ledger.Ledger
	mu      sync.Mutex
	reading error
	writing error
	written bool // though writing says otherwise, the change is recorded
}

func (f *flaky) Permissions(ctx context.Context) (map[string]schemas.PermissionChange, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading != nil {
		return nil, f.reading
	}
	return f.Ledger.Permissions(ctx)
}

func (f *flaky) RecordPermission(ctx context.Context, c schemas.PermissionChange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writing == nil || f.written {
		if err := f.Ledger.RecordPermission(ctx, c); err != nil {
			return err
		}
	}
	return f.writing
}

func (f *flaky) fails(reading, writing error, written bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading, f.writing, f.written = reading, writing, written
}

func onSQLite(t *testing.T) *installation {
	return &installation{t, ledger.Options{URL: "sqlite", Dir: filepath.Join(t.TempDir(), "data"), Logger: zerolog.Nop()}}
}

func TestAGrantAndAWithdrawalOutliveTheProcess(t *testing.T) {
	i := onSQLite(t)
	p := i.start("openldap", notGranted)
	p.want(t, "by configuration", notGranted, schemas.FromConfiguration)
	p.must(t, schemas.DecisionGranted)
	p.want(t, "granted", granted, schemas.FromRunTime)
	p.end()
	p = i.start("openldap", notGranted)
	p.want(t, "granted, after a restart", granted, schemas.FromRunTime)
	if s := p.state("corp"); s.By != "token:root" || s.Reason != "case granted" || s.At.IsZero() || s.Configured != notGranted {
		t.Errorf("state %+v", s)
	}
	p.must(t, schemas.DecisionNotGranted)
	p.end()
	for _, configured := range []schemas.Permission{notGranted, granted, notGranted, granted} {
		p = i.start("openldap", configured)
		p.want(t, "withdrawn, and configured as "+string(configured), notGranted, schemas.FromRunTime)
		p.end()
	}
	p = i.start("openldap", granted)
	p.must(t, schemas.DecisionConfigured)
	p.want(t, "taken back", granted, schemas.FromConfiguration)
	h := p.history(t)
	if len(h) != 3 || h[0].From != notGranted || h[0].To != granted || h[1].From != granted || h[1].To != notGranted || h[2].Actor != "token:root" {
		t.Errorf("history %+v", h)
	}
	p.must(t, schemas.DecisionConfigured)
	if len(p.history(t)) != 3 {
		t.Error("taking back nothing was recorded")
	}
}

func TestAConfigurationThatTakesThePermissionAwayEndsAGrant(t *testing.T) {
	i := onSQLite(t)
	p := i.start("openldap", granted)
	p.must(t, schemas.DecisionGranted)
	p.end()
	p = i.start("openldap", notGranted)
	p.want(t, "after the configuration was edited", notGranted, schemas.FromConfiguration)
	if h := p.history(t); len(h) != 2 || h[0].Actor != schemas.ActorConfiguration || h[0].From != granted || h[0].To != notGranted || h[0].Reason == "" {
		t.Errorf("history %+v", h)
	}
	p.must(t, schemas.DecisionGranted) // over a configuration that says no: this one stays
	p.end()
	i.start("openldap", notGranted).end()
	p = i.start("openldap", notGranted)
	p.want(t, "granted over that configuration", granted, schemas.FromRunTime)
	p.end()
	p = i.start("entra", notGranted) // another system under the old name
	p.want(t, "another kind", notGranted, schemas.FromConfiguration)
	p.must(t, schemas.DecisionGranted)
	p.end()
	i.start("", "").end()
	p = i.start("entra", notGranted)
	p.want(t, "taken out of the configuration and put back", notGranted, schemas.FromConfiguration)
	p.end()
	p = i.start("entra", granted)
	p.want(t, "granted by the configuration", granted, schemas.FromConfiguration)
	if h := p.history(t); h[0].Actor != schemas.ActorConfiguration || h[0].To != granted {
		t.Errorf("the edit is not in the history: %+v", h[0])
	}
}

func TestReplicasSeeADecisionWithinTwoSeconds(t *testing.T) {
	i := &installation{t, ledger.Options{URL: testserver.Postgres(t).Database(t), Logger: zerolog.Nop()}}
	a, b := i.start("openldap", granted), i.start("openldap", granted)
	b.watch(t.Context())
	began := time.Now()
	a.must(t, schemas.DecisionNotGranted)
	for b.permitted("corp") {
		if time.Since(began) > 30*time.Second { // how fast it is on a quiet machine is told below
			t.Fatal("the other replica never sees the withdrawal")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("seen after %s", time.Since(began))
	if permissionPoll+permissionLimit > 2*time.Second {
		t.Error("a replica may need longer than it is documented")
	}
	b.want(t, "on the other replica", notGranted, schemas.FromRunTime)
}

func TestWithoutTheLedgerWhatWasKnownLastCountsAndNoMore(t *testing.T) {
	down := errors.New("the disk is gone")
	p := onSQLite(t).start("openldap", granted)
	p.watch(t.Context())
	p.ledger.fails(down, down, false)
	if err := p.refresh(t.Context()); !errors.Is(err, down) {
		t.Fatal(err)
	}
	p.want(t, "what was known", granted, schemas.FromConfiguration)
	// A withdrawal that cannot be recorded is told as failed, and holds all the same until the ledger can be asked.
	if err := p.decide(t.Context(), "corp", schemas.DecisionNotGranted, "token:ops", ""); !errors.Is(err, down) {
		t.Fatal(err)
	}
	if p.permitted("corp") {
		t.Error("a withdrawal does not hold while the ledger is down")
	}
	if err := p.decide(t.Context(), "corp", schemas.DecisionGranted, "token:root", ""); !errors.Is(err, down) {
		t.Fatal(err)
	}
	if p.permitted("corp") {
		t.Error("a grant counts that was not recorded")
	}
	p.ledger.fails(nil, nil, false)
	if err := p.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.want(t, "the ledger is back and knows of nothing", granted, schemas.FromConfiguration)
	// The answer of the ledger was lost, but not the change.
	p.ledger.fails(nil, down, true)
	if err := p.decide(t.Context(), "corp", schemas.DecisionNotGranted, "token:ops", ""); !errors.Is(err, down) {
		t.Fatal(err)
	}
	if p.permitted("corp") {
		t.Error("a withdrawal of which nothing is known does not hold")
	}
	if err := p.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.want(t, "the withdrawal was recorded after all", notGranted, schemas.FromRunTime)
}

func TestAnUnknownSystemIsNotPermitted(t *testing.T) {
	p := onSQLite(t).start("openldap", granted)
	if s := p.state("other"); p.permitted("other") || s.Configured != notGranted || s.Permission != notGranted {
		t.Errorf("%+v", s)
	}
}

// A reading that ends while a withdrawal is on its way knows nothing of it yet, and must not let resets through meanwhile.
func TestAWithdrawalUnderWayIsNotUndoneByAReading(t *testing.T) {
	p := onSQLite(t).start("openldap", granted)
	p.asking.Lock() // a reading is under way
	done := make(chan error, 1)
	go func() { done <- p.decide(t.Context(), "corp", schemas.DecisionNotGranted, "token:ops", "incident") }()
	for p.permitted("corp") {
		time.Sleep(time.Millisecond)
	}
	err := p.read(t.Context())
	if p.permitted("corp") {
		t.Error("a reading let resets through again")
	}
	p.asking.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	p.want(t, "recorded", notGranted, schemas.FromRunTime)
	if h := p.history(t); len(h) != 1 || h[0].From != granted || h[0].To != notGranted {
		t.Errorf("history %+v", h)
	}
	if err := p.refresh(t.Context()); err != nil || p.permitted("corp") {
		t.Errorf("afterwards: permitted %t, %v", p.permitted("corp"), err)
	}
}
