package callback_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/jobs/callback"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// The jobs see no more of this package than their own interface and two functions.
var (
	_ jobs.Poster                                                                             = (*callback.Poster)(nil)
	_ func(string, *schemas.CallbackRequest, []string) (*schemas.CallbackPlan, error)         = (*callback.Poster)(nil).Plan
	_ func(made int, retryAfter time.Duration, rnd float64) (delay time.Duration, again bool) = callback.NextDelay
)

func TestNewNamesEveryFaultOfTheConfiguration(t *testing.T) {
	key := signature.GenerateSymmetric()
	_, public := signature.GenerateAsymmetric()
	six := []signature.Key{key, key, key, key, key, key}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    callback.Options
		want []string
	}{
		"http without private networks": {options(callback.Source{Keys: []signature.Key{key}, Allow: []string{"http://10.0.0.1/"}, URL: "http://10.0.0.1/x"}),
			[]string{`"soar"`, "callback.allow, entry 1", "callback.url", "allow_private_networks"}},
		"prefixes that cannot be compared": {options(callback.Source{Keys: []signature.Key{key}, Allow: []string{"https://a.example/", "soar.example.com", "https://a.example/../b", "https://a.example/?x=1"}}),
			[]string{"entry 2", "entry 3", "entry 4"}},
		"no key":          {options(callback.Source{Allow: []string{"https://a.example/"}}), []string{"callback.key", "unsigned"}},
		"a public key":    {options(callback.Source{Keys: []signature.Key{key, public}, URL: "https://a.example/"}), []string{"key 2", "cannot sign"}},
		"an empty key":    {options(callback.Source{Keys: []signature.Key{{}}, URL: "https://a.example/"}), []string{"key 1", "cannot sign"}},
		"too many keys":   {options(callback.Source{Keys: six, URL: "https://a.example/"}), []string{"6 keys", "at most 5"}},
		"no CA file":      {callback.Options{CAFile: filepath.Join(t.TempDir(), "gone.pem")}, []string{"tls_ca", "gone.pem"}},
		"empty CA file":   {callback.Options{CAFile: empty}, []string{"tls_ca", "no certificate", "empty.pem"}},
		"a negative time": {callback.Options{Timeout: -time.Second}, []string{"timeout"}},
	} {
		p, err := callback.New(c.o)
		if err == nil || p != nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in %q", name, want, err)
			}
		}
	}
	if _, err := callback.New(options(callback.Source{})); err != nil {
		t.Errorf("a source without callbacks needs no key: %v", err)
	}
}

func TestMetricsCountAttemptsBySourceAndClass(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := options(callback.Source{Keys: []signature.Key{signature.GenerateSymmetric()}, Allow: []string{"https://127.0.0.1:1/", "https://169.254.169.254/"}})
	o.Registerer = registry
	p, err := callback.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ source, url string }{
		{"soar", "https://127.0.0.1:1/"}, {"soar", "https://169.254.169.254/"}, {"soar", "https://elsewhere.example/"},
		{"gone-1", "https://a.example/"}, {"gone-2", "https://a.example/"},
	} {
		p.Post(t.Context(), schemas.Callback{Source: c.source, URL: c.url, ID: "cb_1"}, schemas.Task{})
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got, observed := map[string]float64{}, map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			switch f.GetName() {
			case "resetd_callback_attempts_total":
				got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
			case "resetd_callback_attempt_seconds":
				observed[strings.Join(labels, " ")] = m.GetHistogram().GetSampleCount()
			}
		}
	}
	want := map[string]float64{"refused_address soar": 2, "not_allowed soar": 1, "not_allowed unknown": 2}
	if len(got) != len(want) || observed["soar"] != 3 || observed["unknown"] != 2 {
		t.Errorf("got %v and %v", got, observed)
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: got %v, want %v", k, got[k], n)
		}
	}
}

func TestClassesAreAllDifferentAndOnlyTwoDoNotCount(t *testing.T) {
	seen := map[string]bool{}
	free := 0
	for _, c := range callback.Classes() {
		if seen[c] || c == "" {
			t.Errorf("class %q occurs twice or is empty", c)
		}
		seen[c] = true
		if !callback.Counts(c) {
			free++
		}
	}
	if free != 2 || !callback.Counts("") {
		t.Errorf("%d classes do not count", free)
	}
}

func options(s callback.Source) callback.Options {
	return callback.Options{Sources: map[string]callback.Source{"soar": s}}
}
