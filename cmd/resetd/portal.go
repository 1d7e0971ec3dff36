package main

import (
	"context"
	"errors"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// historyShown is how many changes of a permission are shown with a system.
const historyShown = 50

// portal shows the systems to the API: what the connectors, the permissions and the ledger each know of them.
type portal struct {
	config      *config.Config
	set         *connectors.Set
	permissions *permissions
	refusal     func(system string, c schemas.Class) error // jobs.Service.Refusal
	ledger      interface {
		Backlog(ctx context.Context) (map[string]int, error)
		PermissionHistory(ctx context.Context, system string, limit int) ([]schemas.PermissionChange, error)
	}
}

// Systems lists all systems in the order of the configuration.
func (p *portal) Systems(ctx context.Context) ([]schemas.System, error) {
	backlog, err := p.ledger.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]schemas.System, 0, len(p.config.Systems))
	for _, info := range p.set.Systems() {
		out = append(out, p.show(info, backlog))
	}
	return out, nil
}

// System gives one system with the history of its permission. The error wraps schemas.ErrNotFound for an unknown name.
func (p *portal) System(ctx context.Context, name string) (schemas.System, error) {
	for _, info := range p.set.Systems() {
		if info.Name != name {
			continue
		}
		backlog, err := p.ledger.Backlog(ctx)
		if err != nil {
			return schemas.System{}, err
		}
		out := p.show(info, backlog)
		out.History, err = p.ledger.PermissionHistory(ctx, name, historyShown)
		return out, err
	}
	return schemas.System{}, schemas.ErrNotFound
}

func (p *portal) show(info connectors.Info, backlog map[string]int) schemas.System {
	return schemas.System{Name: info.Name, Kind: info.Kind, Enforcement: p.permissions.state(info.Name), TimeoutMS: info.Timeout.Milliseconds(),
		State: string(info.State), Since: info.Since, Until: info.Until, Reason: info.Reason, Share: info.Share,
		Rate: config.Rate(info.Rate).String(), Backlog: backlog[jobs.QueueOf(info.Name)], Check: p.set.LastCheck(info.Name)}
}

// Permit records a decision about a system's permission, and gives the system as it is then.
func (p *portal) Permit(ctx context.Context, name string, d schemas.Decision, actor, reason string) (schemas.System, error) {
	if _, known := p.permissions.configured[name]; !known {
		return schemas.System{}, schemas.ErrNotFound
	}
	if err := p.permissions.decide(ctx, name, d, actor, reason); err != nil {
		return schemas.System{}, err
	}
	return p.System(ctx, name)
}

// Check asks a system now. The error wraps schemas.ErrNotFound for an unknown name.
func (p *portal) Check(ctx context.Context, name string) (schemas.Check, error) {
	return p.set.Check(ctx, name)
}

// Look reads an account on every system, and says where the rules would refuse a reset.
func (p *portal) Look(ctx context.Context, a schemas.Account) (schemas.AccountReport, error) {
	report := p.set.Look(ctx, a)
	for _, s := range report.Systems {
		if s.Profile == nil {
			continue
		}
		f, refused := errors.AsType[*schemas.Failure](p.refusal(s.System, s.Profile.Class()))
		if refused && f.Code == schemas.CodeProtected {
			s.Profile.Protected, s.Profile.ProtectedBecause = true, f.Detail
		}
	}
	return report, nil
}
