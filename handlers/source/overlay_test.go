package source_test

import (
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/handlers/source"
)

// What a page gives as an example must open as it stands, with keys in place of its variables.
func TestEveryPresetsExampleOpens(t *testing.T) {
	for _, name := range source.Presets() {
		t.Run(name, func(t *testing.T) {
			p, err := source.LoadPreset(name)
			if err != nil {
				t.Fatal(err)
			}
			var entries []map[string]any
			if err := yaml.Unmarshal([]byte(p.Page.Example), &entries); err != nil || len(entries) != 1 {
				t.Fatalf("%d entries: %v", len(entries), err)
			}
			words := map[string]any{}
			for k, v := range entries[0] {
				switch k {
				case "name", "preset", "systems", "callback", "max_age", "repeat_within", "own_actors":
				default:
					words[k] = v
				}
			}
			if profile(t, words).Verify.Certificate.CA != "" {
				t.Skip("its certificate is a file that only its user has")
			}
			if v, ok := words["verify"].(map[string]any); ok {
				delete(v, "keys")
			}
			v, _, _ := readFiles(t, name)
			open(t, source.Config{Preset: name, Profile: profile(t, words, v.Keys...)})
		})
	}
}

// A sender that can sign in more than one way is configured for the others by what its page says.
func TestPresetsTakeTheOtherWaysToSign(t *testing.T) {
	for _, c := range []struct {
		name, preset string
		words        map[string]any
		header       string
		value        string // made by python's hmac over the preset's sample, with the key of its vector
		weak         bool
	}{
		{"Grafana without a timestamp header", "grafana", map[string]any{"hmac": map[string]any{"content_template": "{body}"}},
			"X-Grafana-Alerting-Signature", "267165bd235f26fc8305bb429cd4d25986f616f812ffe20aecb7d14fdd40aff0", true},
		{"CrowdStrike with the time first", "crowdstrike", map[string]any{"hmac": map[string]any{
			"content_template": "{timestamp}{body}", "timestamp_header": "X-CS-Delivery-Timestamp", "timestamp_format": "rfc3339", "encoding": "hex"}},
			"X-CS-Primary-Signature", "dede4d9ed5e57339e7cf1a34c64ca2d4dd90c75d8d966c9e61437a45d1af3bc7", false},
		{"Grafana of an older version", "grafana", map[string]any{"scheme": "shared-secret", "secret": map[string]any{"in": "bearer"}, "allow_from": []string{"192.0.2.0/24"}},
			"Authorization", "Bearer grafana-2mJ8xW4bq7Rz5tYk9PvC3nLd6hF1sGea", true},
		{"Vision One with a header", "vision-one", map[string]any{"secret": map[string]any{"in": "bearer"}, "allow_from": []string{"192.0.2.0/24"}},
			"Authorization", "Bearer v1.8Rk3Tq7Wx2Zc9Lm4Vb6Yp1Jn5Hd0Gs", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, body, _ := readFiles(t, c.preset)
			v.From, v.Token = "192.0.2.1", ""
			s := open(t, source.Config{Preset: c.preset, Profile: profile(t, map[string]any{"verify": c.words}, v.Keys...)})
			d := v.delivery(t, body)
			d.Header.Set(c.header, c.value)
			if _, err := s.Verify(t.Context(), d, v.Now); err != nil {
				t.Error(err)
			}
			if (s.Weak != "") != c.weak {
				t.Errorf("weak: %q", s.Weak)
			}
			d.Header.Set(c.header, c.value+"0")
			if _, err := s.Verify(t.Context(), d, v.Now); err == nil {
				t.Error("a changed proof verifies")
			}
		})
	}
}
