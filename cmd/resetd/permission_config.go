package main

import (
	"context"
	"maps"
	"slices"

	"github.com/resetd/resetd/schemas"
)

// seenPrefix begins the settings by which a start knows what the configuration said of a system at the start before.
const seenPrefix = "permission.configured."

// compare records what the configuration changes about the permissions since the last start. A grant at run time ends with
// a configuration that takes the permission away, and with a system that is another one under the same name, or gone. A
// withdrawal at run time is left alone.
func (p *permissions) compare(ctx context.Context) error {
	for _, system := range slices.Sorted(maps.Keys(p.configured)) {
		now := p.kinds[system] + " " + string(p.configured[system])
		was, there, err := p.ledger.Setting(ctx, seenPrefix+system)
		if err != nil {
			return err
		}
		if there && was == now {
			continue
		}
		if there {
			if err := p.edited(ctx, system, was); err != nil {
				return err
			}
		}
		if err := p.ledger.PutSetting(ctx, seenPrefix+system, now); err != nil {
			return err
		}
	}
	for _, system := range slices.Sorted(maps.Keys(p.latest)) {
		if _, configured := p.configured[system]; configured || p.latest[system].Decision != schemas.DecisionGranted {
			continue
		}
		if err := p.byConfiguration(ctx, system, schemas.PermissionGranted, "the system is no longer configured"); err != nil {
			return err
		}
	}
	return nil
}

// edited records what another configuration than the last one, told as kind and permission, means for a system.
func (p *permissions) edited(ctx context.Context, system, was string) error {
	granted := was == p.kinds[system]+" "+string(schemas.PermissionGranted)
	sameKind := granted || was == p.kinds[system]+" "+string(schemas.PermissionNotGranted)
	before, now := schemas.PermissionNotGranted, p.configured[system]
	if granted {
		before = schemas.PermissionGranted
	}
	switch p.latest[system].Decision {
	case schemas.DecisionNotGranted:
		return nil
	case schemas.DecisionGranted:
		switch {
		case !sameKind:
			return p.byConfiguration(ctx, system, schemas.PermissionGranted, "the system is of another kind than before")
		case now == schemas.PermissionNotGranted: // it said granted before, or was != now would not be
			return p.byConfiguration(ctx, system, schemas.PermissionGranted, "the configuration was changed to not_granted")
		}
		return nil
	}
	if before == now {
		return nil
	}
	return p.byConfiguration(ctx, system, before, "the configuration was changed to "+string(now))
}

// byConfiguration records that from now on the configuration counts.
func (p *permissions) byConfiguration(ctx context.Context, system string, from schemas.Permission, reason string) error {
	return p.record(ctx, schemas.PermissionChange{System: system, At: p.now().UTC(), Actor: schemas.ActorConfiguration,
		Decision: schemas.DecisionConfigured, From: from, To: schemas.DecisionConfigured.Over(p.configured[system]), Reason: reason})
}
