package connectors

import (
	"context"
	"strings"

	"filippo.io/age/armor"

	"github.com/resetd/resetd/schemas"
)

// stepProbe names a probe in log lines and metrics; the other names are those of schemas.
const stepProbe = "probe"

// Probe asks the system what it is and what we may do there, now and not from memory.
func (s *Set) Probe(ctx context.Context, system string) (schemas.Capabilities, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Capabilities{}, err
	}
	return one.probe(ctx, nil)
}

// Resolve finds the one account that is meant.
func (s *Set) Resolve(ctx context.Context, system string, a schemas.Account) (schemas.Identity, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Identity{}, err
	}
	return one.resolve(ctx, a)
}

func (s *system) resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	return call(ctx, s, string(schemas.StepResolve), func(ctx context.Context) (schemas.Identity, error) {
		id, err := s.Connector.Resolve(ctx, a)
		switch {
		case err != nil:
			return id, err
		case id.ID == "":
			return id, schemas.Fail(schemas.CodeUnexpected, "the connector found an account without an id; please report this")
		}
		// The id is what later calls act on; the name is for people, and may be written by the one whom it names.
		id.Name = readable(s.redact.text(id.Name), maxName)
		return id, exact("an id", id.ID)
	})
}

// Classify reads what the account is, and the system's evidence.
func (s *Set) Classify(ctx context.Context, system string, id schemas.Identity) (schemas.Class, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Class{}, err
	}
	return one.classify(ctx, id)
}

func (s *system) classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	return call(ctx, s, string(schemas.StepClassify), func(ctx context.Context) (schemas.Class, error) {
		class, err := s.Connector.Classify(ctx, id)
		class.Why = s.detail(class.Why)
		if class.Source != nil && class.Source.Check() != nil {
			class.Source = nil // what cannot be asked for cannot be reset there either
		}
		if err == nil {
			err = exact("a mark of the account's last change", class.Evidence.Marker)
		}
		return class, err
	})
}

// Reset forces a new password. It asks for the operator's permission again, whoever may have asked before.
func (s *Set) Reset(ctx context.Context, system string, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	return s.change(ctx, system, schemas.StepReset, func(ctx context.Context, c Connector) (schemas.Receipt, error) {
		return c.Reset(ctx, id, mode)
	})
}

// Revoke ends the account's sessions. Where a system cannot do that, the receipt says unsupported and there is no error.
func (s *Set) Revoke(ctx context.Context, system string, id schemas.Identity) (schemas.Receipt, error) {
	return s.change(ctx, system, schemas.StepRevoke, func(ctx context.Context, c Connector) (schemas.Receipt, error) {
		return c.Revoke(ctx, id)
	})
}

// Verify reads whether the account must change its password now.
func (s *Set) Verify(ctx context.Context, system string, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Proof{}, err
	}
	return call(ctx, one, string(schemas.StepVerify), func(ctx context.Context) (schemas.Proof, error) {
		proof, err := one.Connector.Verify(ctx, id, since)
		proof.Detail = one.detail(proof.Detail)
		if err == nil {
			err = exact("a mark of the account's last change", proof.Evidence.Marker)
		}
		return proof, err
	})
}

// change is what Reset and Revoke have in common.
func (s *Set) change(ctx context.Context, system string, step schemas.StepName,
	do func(context.Context, Connector) (schemas.Receipt, error),
) (schemas.Receipt, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Receipt{}, err
	}
	return call(ctx, one, string(step), func(ctx context.Context) (schemas.Receipt, error) {
		if err := one.permitted(); err != nil {
			return schemas.Receipt{}, err
		}
		got, err := do(ctx, one.Connector)
		got.Detail = one.detail(got.Detail)
		if !strings.HasPrefix(got.Sealed, armor.Header) {
			got.Sealed = "" // whatever else it is, nobody but the connector may see it
		}
		done := got.Code.OK() || step == schemas.StepRevoke && got.Code == schemas.CodeUnsupported
		switch {
		case err != nil || done:
			return got, err
		case got.Code.Valid():
			return schemas.Receipt{}, schemas.Fail(got.Code, "%s", got.Detail)
		}
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnexpected, "the connector gave a receipt without a known code; please report this")
	})
}
