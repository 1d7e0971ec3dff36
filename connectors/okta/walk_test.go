package okta_test

import (
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// The walk of an enforcement as the rest of resetd makes it.
func TestWholeWalkThroughTheSet(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{})
	config := byApp(o, o.url)
	set, err := connectors.NewSet([]connectors.System{{Name: "acme-okta", Kind: "okta", Permitted: func() bool { return true }, Secrets: config.Secrets(), Connector: open(t, config)}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Close() })
	ctx := t.Context()
	id, err := set.Resolve(ctx, "acme-okta", address(p.Email))
	if err != nil {
		t.Fatal(err)
	}
	class, err := set.Classify(ctx, "acme-okta", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "acme-okta", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Reset(ctx, "acme-okta", id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got, err := set.Revoke(ctx, "acme-okta", id); err != nil || got.Code != schemas.CodeOK || o.now(p.ID).Sessions != 0 {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	proof, err := set.Verify(ctx, "acme-okta", id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}
