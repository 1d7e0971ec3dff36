package entra_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/schemas"
)

// sealedText stands for what age makes of a password; the set lets nothing through that does not look like it.
const sealedText = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"

// The walk of an enforcement as the rest of resetd makes it, with sealed delivery on; and nothing of it leaks.
func TestWholeWalkThroughTheSetLeaksNothing(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	var log bytes.Buffer
	var sealed []string
	c := openWith(t, f.config(), connectors.Env{System: "corp-entra", Seal: func(s schemas.Secret) (string, error) {
		sealed = append(sealed, s.Reveal())
		return sealedText, nil
	}})
	set, err := connectors.NewSet([]connectors.System{{Name: "corp-entra", Kind: "entra", Permitted: func() bool { return true }, Secrets: f.config().Secrets(), Connector: c}},
		connectors.Options{Log: zerolog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	p := w.add("walk@example.com", nil)
	ctx := t.Context()
	id, err := set.Resolve(ctx, "corp-entra", schemas.Account{Type: schemas.AccountAddress, Value: "Walk@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	class, err := set.Classify(ctx, "corp-entra", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "corp-entra", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	w.in(t, func() { w.rejects = 1 })
	receipt, err := set.Reset(ctx, "corp-entra", id, schemas.ModeRandomize)
	if err != nil || receipt.Code != schemas.CodeOK || receipt.Sealed != sealedText {
		t.Fatalf("Reset: %+v, %v", receipt, err)
	}
	revoked, err := set.Revoke(ctx, "corp-entra", id)
	if err != nil || revoked.Code != schemas.CodeOK {
		t.Errorf("Revoke: %+v, %v", revoked, err)
	}
	proof, err := set.Verify(ctx, "corp-entra", id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
	passwords := w.sent()
	if len(passwords) != 2 || len(sealed) != 2 || sealed[1] != passwords[1] || w.login(p.id, passwords[1]) != conformance.LoginMustChange {
		t.Errorf("%d passwords were sent and %d sealed; the last must be the one that is in force", len(passwords), len(sealed))
	}
	said := log.String() + fmt.Sprintf("%+v %+v %+v %+v %+v", id, class, receipt, revoked, proof)
	for _, secret := range append(append(passwords, secretText), f.issued...) {
		if strings.Contains(said, secret) {
			t.Errorf("a secret shows in what was said")
		}
	}
}

func TestPasswordThatCannotBeSealedIsNotSet(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	c := openWith(t, f.config(), connectors.Env{System: "corp-entra", Seal: func(schemas.Secret) (string, error) { return "", fmt.Errorf("no recipient") }})
	defer func() { _ = c.Close() }()
	_, err := c.Reset(t.Context(), schemas.Identity{ID: w.add("a@example.com", nil).id}, schemas.ModeRandomize)
	codeIs(t, err, schemas.CodeUnexpected)
	if len(f.writes()) > 0 {
		t.Error("the password was sent")
	}
}
