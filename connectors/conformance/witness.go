package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// witness keeps everything that connectors said, to be searched for secrets at the end.
type witness struct {
	mu   sync.Mutex
	said []string
}

func (w *witness) hear(call string, what ...any) {
	var b strings.Builder
	b.WriteString(call)
	for _, one := range what {
		// Every way in which a careless line of a log could print it.
		fmt.Fprintf(&b, " | %v | %+v | %#v", one, one, one)
		if err, ok := one.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&b, " | %v", err)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, b.String())
}

// watched is a connector whose every word is heard, and whose errors are held against the contract.
type watched struct {
	connectors.Connector
	t       *testing.T
	witness *witness
}

// watch does both for one call.
func watch[T any](w *watched, call string, out T, err error) (T, error) {
	w.witness.hear(call, out, err)
	if err == nil {
		return out, nil
	}
	f, ok := errors.AsType[*schemas.Failure](err)
	switch {
	case !ok || f == nil:
		w.t.Errorf("%s: an error of type %T; every error must be a *schemas.Failure", call, err)
	case !f.Code.Valid() || f.Code.OK():
		w.t.Errorf("%s: a failure with the code %q", call, f.Code)
	case f.Detail == "":
		w.t.Errorf("%s: the failure %s says nothing to a person", call, f.Code)
	}
	return out, err
}

func (w *watched) Probe(ctx context.Context) (schemas.Capabilities, error) {
	out, err := w.Connector.Probe(ctx)
	return watch(w, "Probe", out, err)
}

func (w *watched) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	out, err := w.Connector.Resolve(ctx, a)
	return watch(w, "Resolve", out, err)
}

func (w *watched) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	out, err := w.Connector.Classify(ctx, id)
	return watch(w, "Classify", out, err)
}

func (w *watched) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	out, err := w.Connector.Reset(ctx, id, mode)
	if err == nil && !out.Code.OK() {
		w.t.Errorf("Reset: the receipt %q without an error", out.Code)
	}
	return watch(w, "Reset", out, err)
}

func (w *watched) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	out, err := w.Connector.Revoke(ctx, id)
	return watch(w, "Revoke", out, err)
}

func (w *watched) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	out, err := w.Connector.Verify(ctx, id, since)
	return watch(w, "Verify", out, err)
}

// secrets searches all that was said, and looks at the passwords themselves.
func (s *suite) secrets(t *testing.T) {
	hidden := s.Secrets
	if s.Passwords != nil {
		made := s.Passwords(t)
		if s.has(schemas.ModeRandomize) && len(made) == 0 {
			t.Error("the harness saw no password go by, although some were set")
		}
		s.quality(t, made)
		hidden = append(hidden[:len(hidden):len(hidden)], made...)
	}
	for _, said := range s.witness.said {
		for _, secret := range hidden {
			if strings.Contains(said, secret) {
				t.Errorf("a secret shows in: %s", strings.ReplaceAll(said, secret, "<SECRET>"))
			}
		}
	}
}

// quality holds generated passwords against the contract: 24 characters or more, of four classes, and none twice.
func (s *suite) quality(t *testing.T, made []string) {
	seen := map[string]bool{}
	for i, p := range made {
		if len(p) < 24 {
			t.Errorf("password %d has %d characters; at least 24 are wanted", i, len(p))
		}
		for name, class := range map[string]string{
			"upper-case letters": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "lower-case letters": "abcdefghijklmnopqrstuvwxyz",
			"digits": "0123456789", "other characters": "!#$%&()*+,-./:;<=>?@[]^_{|}~",
		} {
			if !strings.ContainsAny(p, class) {
				t.Errorf("password %d has no %s", i, name)
			}
		}
		if seen[p] {
			t.Errorf("password %d was used before", i)
		}
		seen[p] = true
	}
}
