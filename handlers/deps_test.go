package handlers_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/handlers"
)

func TestMissingDependencyFailsAtStartByName(t *testing.T) {
	for name, remove := range map[string]func(*handlers.Deps){
		"Tasks":       func(d *handlers.Deps) { d.Tasks = nil },
		"History":     func(d *handlers.Deps) { d.History = nil },
		"Callbacks":   func(d *handlers.Deps) { d.Callbacks = nil },
		"Systems":     func(d *handlers.Deps) { d.Systems = nil },
		"Permissions": func(d *handlers.Deps) { d.Permissions = nil },
		"Accounts":    func(d *handlers.Deps) { d.Accounts = nil },
		"Sources":     func(d *handlers.Deps) { d.Sources = nil },
		"Tokens":      func(d *handlers.Deps) { d.Tokens = nil },
		"Validator":   func(d *handlers.Deps) { d.Validator = nil },
		"Ready":       func(d *handlers.Deps) { d.Ready = nil },
		"Metrics":     func(d *handlers.Deps) { d.Metrics = nil },
		"Registerer":  func(d *handlers.Deps) { d.Registerer = nil },
		"PublicURL":   func(d *handlers.Deps) { d.PublicURL = "" },
	} {
		d := newFixture(t).deps()
		d.Registerer = prometheus.NewRegistry()
		remove(&d)
		if _, err := handlers.New(d); err == nil || !strings.Contains(err.Error(), name+" is missing") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	_, err := handlers.New(handlers.Deps{})
	if err == nil || strings.Count(err.Error(), "is missing") != 13 {
		t.Errorf("not everything that is missing is named: %v", err)
	}
}

func TestWrongSettingFailsAtStart(t *testing.T) {
	for _, u := range []string{"resetd.example.com", "ftp://resetd.example.com", "https://", "https://resetd.example.com/?a=b",
		"https://resetd.example.com/#a", "https://ops:hunter2@resetd.example.com", "https://resetd.example.com:port"} {
		d := newFixture(t).deps()
		d.Registerer, d.PublicURL = prometheus.NewRegistry(), u
		_, err := handlers.New(d)
		if err == nil || !strings.Contains(err.Error(), "PublicURL") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", u, err)
		}
	}
	d := newFixture(t).deps()
	d.Registerer, d.TrustedProxies = prometheus.NewRegistry(), []string{"load-balancer"}
	if _, err := handlers.New(d); err == nil || !strings.Contains(err.Error(), "TrustedProxies") {
		t.Error(err)
	}
	d = newFixture(t).deps() // its registry has the metrics of the fixture's own face
	if _, err := handlers.New(d); err == nil || !strings.Contains(err.Error(), "metrics") {
		t.Error(err)
	}
}
