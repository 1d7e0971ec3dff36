package connectors_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

const secret = "Bind-Secret/42+x"

// scripted is a connector that does as it is told. It shows how Set treats whatever a connector may do; what a connector
// should do is shown by the conformance suite on real ones.
type scripted struct {
	probe   func(context.Context) (schemas.Capabilities, error)
	resolve func(context.Context) (schemas.Identity, error)
	receipt func(context.Context) (schemas.Receipt, error)
	class   schemas.Class
	proof   schemas.Proof
	closed  error
	calls   atomic.Int32
}

func (s *scripted) Probe(ctx context.Context) (schemas.Capabilities, error) {
	s.calls.Add(1)
	if s.probe == nil {
		return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}}, nil
	}
	return s.probe(ctx)
}

func (s *scripted) Resolve(ctx context.Context, _ schemas.Account) (schemas.Identity, error) {
	s.calls.Add(1)
	if s.resolve == nil {
		return schemas.Identity{ID: "1", Name: "one"}, nil
	}
	return s.resolve(ctx)
}

func (s *scripted) Classify(context.Context, schemas.Identity) (schemas.Class, error) {
	s.calls.Add(1)
	return s.class, nil
}

func (s *scripted) Reset(ctx context.Context, _ schemas.Identity, _ schemas.Mode) (schemas.Receipt, error) {
	s.calls.Add(1)
	return s.receipt(ctx)
}

func (s *scripted) Revoke(ctx context.Context, _ schemas.Identity) (schemas.Receipt, error) {
	s.calls.Add(1)
	return s.receipt(ctx)
}

func (s *scripted) Verify(context.Context, schemas.Identity, schemas.Evidence) (schemas.Proof, error) {
	s.calls.Add(1)
	return s.proof, nil
}

func (s *scripted) Close() error { return s.closed }

// room is a set with one system, and what it leaves behind.
type room struct {
	*connectors.Set
	log     *bytes.Buffer
	metrics *prometheus.Registry
}

// newRoom puts a connector under the name "corp" into a set, granted unless change says otherwise.
func newRoom(t *testing.T, c connectors.Connector, change func(*connectors.System, *connectors.Options)) room {
	t.Helper()
	r := room{log: &bytes.Buffer{}, metrics: prometheus.NewRegistry()}
	system := connectors.System{Name: "corp", Kind: "scripted", Permitted: func() bool { return true }, Secrets: []schemas.Secret{schemas.NewSecret(secret)}, Connector: c}
	options := connectors.Options{Log: zerolog.New(zerolog.SyncWriter(r.log)), Metrics: r.metrics}
	if change != nil {
		change(&system, &options)
	}
	set, err := connectors.NewSet([]connectors.System{system}, options)
	if err != nil {
		t.Fatal(err)
	}
	r.Set = set
	return r
}

func (r room) resolve(ctx context.Context) (schemas.Identity, error) {
	return r.Resolve(ctx, "corp", schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
}

// wantCode fails the test unless the error is a Failure with the code.
func wantCode(t *testing.T, what string, err error, code schemas.Code) {
	t.Helper()
	if got := schemas.CodeOf(err); got != code {
		t.Errorf("%s: %s (%v), want %s", what, got, err, code)
	}
}
