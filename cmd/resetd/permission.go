package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
)

// How often the ledger is asked for what other replicas have recorded, and how long an answer may take. Together they keep
// a withdrawal from being overlooked anywhere for more than two seconds while the ledger answers.
const (
	permissionPoll  = time.Second
	permissionLimit = 900 * time.Millisecond
)

// decisionLimit bounds the recording of a decision.
const decisionLimit = 10 * time.Second

// permissionLedger is where decisions about permissions are kept.
type permissionLedger interface {
	RecordPermission(ctx context.Context, c schemas.PermissionChange) error
	Permissions(ctx context.Context) (map[string]schemas.PermissionChange, error)
	Setting(ctx context.Context, key string) (value string, ok bool, err error)
	PutSetting(ctx context.Context, key, value string) error
}

// permissions knows on which systems resetd may act. What is decided while it runs stands in the ledger and counts more
// than the configuration:
//
//   - What was withdrawn at run time stays withdrawn, over restarts and whatever the configuration says, until somebody
//     grants it or takes the withdrawal back at run time.
//   - What was granted at run time stays granted until it is withdrawn or taken back, or until resetd starts with a
//     configuration that has changed from granted to not_granted, or from this kind of system to another, or to none.
//   - Without a decision the configuration counts.
//
// Until the ledger was read nothing is permitted. While it cannot be read, what was known last counts. It is safe for
// concurrent use.
type permissions struct {
	configured map[string]schemas.Permission
	kinds      map[string]string
	now        func() time.Time
	log        zerolog.Logger
	ledger     permissionLedger // nil until load

	asking sync.Mutex // held over whole exchanges with the ledger, so that an older answer never follows a newer one
	mu     sync.RWMutex
	known  bool
	latest map[string]schemas.PermissionChange
	under  map[string]int  // withdrawals under way; they count from the moment in which they are asked for
	held   map[string]bool // withdrawals of which it is not known whether they were recorded; the next reading tells

	stop context.CancelFunc
	done chan struct{}
}

func newPermissions(c *config.Config, log zerolog.Logger) *permissions {
	p := &permissions{configured: map[string]schemas.Permission{}, kinds: map[string]string{}, now: time.Now, log: log,
		latest: map[string]schemas.PermissionChange{}, under: map[string]int{}, held: map[string]bool{}}
	for _, s := range c.Systems {
		p.configured[s.Name], p.kinds[s.Name] = schemas.PermissionNotGranted, s.Kind
		if s.Granted() {
			p.configured[s.Name] = schemas.PermissionGranted
		}
	}
	return p
}

// permitted tells whether resetd may act on a system now.
func (p *permissions) permitted(system string) bool {
	return p.state(system).Permission == schemas.PermissionGranted
}

// state gives the permission that holds on a system, and why.
func (p *permissions) state(system string) schemas.PermissionState {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s := schemas.StateOf(p.latest[system], p.configured[system])
	if !p.known {
		s.Permission = schemas.PermissionNotGranted
	}
	if p.held[system] || p.under[system] > 0 {
		s = schemas.PermissionState{Permission: schemas.PermissionNotGranted, From: schemas.FromRunTime, Configured: s.Configured,
			Reason: "it was withdrawn, which is not recorded yet"}
	}
	if s.Configured == "" {
		s.Configured = schemas.PermissionNotGranted
	}
	return s
}

// load reads what was decided before, and records what the configuration has changed since.
func (p *permissions) load(ctx context.Context, l permissionLedger) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.ledger = l
	if err := p.read(ctx); err != nil {
		return err
	}
	return p.compare(ctx)
}

// read takes over what the ledger says. What was held back is settled by that, but nothing that is under way.
func (p *permissions) read(ctx context.Context) error {
	latest, err := p.ledger.Permissions(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for system := range p.configured {
		before, after := p.latest[system].Decision.Over(p.configured[system]), latest[system].Decision.Over(p.configured[system])
		if p.known && before != after {
			p.log.Info().Str("system", system).Str("permission", string(after)).Str("actor", latest[system].Actor).
				Msg("the permission to reset passwords has changed, as the ledger says")
		}
	}
	p.latest, p.known = latest, true
	clear(p.held)
	return nil
}

// decide records a decision and makes it count. A withdrawal counts before it is recorded, and goes on to count here while
// it is not known whether it was.
func (p *permissions) decide(ctx context.Context, system string, d schemas.Decision, actor, reason string) (err error) {
	if d == schemas.DecisionNotGranted {
		p.begin(system)
		defer func() { p.ended(system, err == nil) }()
	}
	// Who decided need not stay on the line for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decisionLimit)
	defer cancel()
	p.asking.Lock()
	defer p.asking.Unlock()
	if err := p.read(ctx); err != nil {
		return err
	}
	before := p.recorded(system)
	if d == schemas.DecisionConfigured && before.From == schemas.FromConfiguration {
		return nil // there is nothing to take back
	}
	return p.record(ctx, schemas.PermissionChange{System: system, At: p.now().UTC(), Actor: actor, Decision: d,
		From: before.Permission, To: d.Over(p.configured[system]), Reason: reason})
}

// begin lets a withdrawal count while it is under way, and ended while it is not known whether it was recorded.
func (p *permissions) begin(system string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under[system]++
}

func (p *permissions) ended(system string, recorded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under[system]--
	if !recorded {
		p.held[system] = true
	}
}

// recorded gives the permission as the ledger says, whatever is under way.
func (p *permissions) recorded(system string) schemas.PermissionState {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return schemas.StateOf(p.latest[system], p.configured[system])
}

// record writes a change and lets it count.
func (p *permissions) record(ctx context.Context, c schemas.PermissionChange) error {
	c.At = c.At.Truncate(time.Microsecond) // as the ledger keeps it
	if err := p.ledger.RecordPermission(ctx, c); err != nil {
		return fmt.Errorf("record the permission of %s: %w", c.System, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = maps.Clone(p.latest)
	p.latest[c.System] = c
	delete(p.held, c.System)
	p.log.Info().Str("system", c.System).Str("actor", c.Actor).Str("from", string(c.From)).Str("to", string(c.To)).Str("reason", c.Reason).
		Msg("the permission to reset passwords was decided on")
	return nil
}
