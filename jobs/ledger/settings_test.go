package ledger

import "testing"

func TestSettingsLast(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if _, ok, err := l.Setting(t.Context(), "brake"); ok || err != nil {
			t.Errorf("before: %v, %v", ok, err)
		}
		for _, value := range []string{"on", "off"} {
			if err := l.PutSetting(t.Context(), "brake", value); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := l.Setting(t.Context(), "brake"); got != value || !ok || err != nil {
				t.Errorf("%q, %v, %v", got, ok, err)
			}
		}
		if err := l.PutSetting(t.Context(), "", "x"); err == nil {
			t.Error("a setting without a key was taken")
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _, err := p.open(t).Setting(t.Context(), "brake"); got != "off" || err != nil {
			t.Errorf("reopened: %q, %v", got, err)
		}
	})
}
