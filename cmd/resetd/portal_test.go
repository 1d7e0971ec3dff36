package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestTheStatesOfASystemAreDocumented(t *testing.T) {
	_, text, _ := strings.Cut(string(schemas.OpenAPI()), "SystemState:")
	_, text, _ = strings.Cut(text, "enum: [")
	text, _, _ = strings.Cut(text, "]")
	want := []string{string(connectors.StateClosed), string(connectors.StateOpen), string(connectors.StateHalfOpen), string(connectors.StatePaused)}
	if text != strings.Join(want, ", ") {
		t.Errorf("documented are %s, the code has %v", text, want)
	}
}

// onePortal shows one system that answers nowhere.
func onePortal(t *testing.T) *portal {
	t.Helper()
	c, err := config.Load(begun(t), known(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	p := onSQLite(t).start("openldap", granted)
	p.permissions = newPermissions(c, zerolog.Nop())
	if err := p.load(t.Context(), p.ledger); err != nil {
		t.Fatal(err)
	}
	set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry(), p.permissions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Close() })
	return &portal{config: c, set: set, permissions: p.permissions, ledger: p.ledger,
		refusal: func(string, schemas.Class) error { return nil }}
}

func TestThePortalShowsWhatEachPartKnows(t *testing.T) {
	p := onePortal(t)
	if _, err := p.Permit(t.Context(), "corp-ldap", schemas.DecisionGranted, "token:root", "CHG0042"); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Check(t.Context(), "corp-ldap"); err != nil || got.State != schemas.FindingFail {
		t.Errorf("%+v, %v", got, err)
	}
	got, err := p.System(t.Context(), "corp-ldap")
	switch {
	case err != nil, got.Kind != "openldap", got.Rate != "20/s", got.TimeoutMS != 10_000, got.State != "closed", got.Share != 1,
		got.Enforcement.By != "token:root", len(got.History) != 1, got.Check == nil:
		t.Errorf("%+v, %v", got, err)
	}
	list, err := p.Systems(t.Context())
	if err != nil || len(list) != 1 || list[0].History != nil || list[0].Enforcement != got.Enforcement {
		t.Errorf("%+v, %v", list, err)
	}
	_, err1 := p.System(t.Context(), "nowhere")
	_, err2 := p.Check(t.Context(), "nowhere")
	_, err3 := p.Permit(t.Context(), "nowhere", schemas.DecisionGranted, "token:root", "")
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("an unknown system: %v", err)
		}
	}
}

func TestThePermissionIsAMetric(t *testing.T) {
	p := onSQLite(t).start("openldap", granted)
	reg := prometheus.NewRegistry()
	if err := p.register(reg); err != nil {
		t.Fatal(err)
	}
	value := func() float64 {
		got, err := reg.Gather()
		if err != nil || len(got) != 1 || got[0].GetName() != "resetd_system_permitted" {
			t.Fatalf("%v, %v", got, err)
		}
		return got[0].GetMetric()[0].GetGauge().GetValue()
	}
	if value() != 1 {
		t.Error("granted is not 1")
	}
	p.must(t, schemas.DecisionNotGranted)
	if value() != 0 {
		t.Error("withdrawn is not 0")
	}
}
