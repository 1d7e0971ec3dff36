package callback

import (
	"net/http"
	"testing"
	"testing/quick"
	"time"
)

func TestNextDelayFollowsTheScheduleAndEnds(t *testing.T) {
	want := []string{"0s", "5s", "30s", "2m0s", "10m0s", "30m0s", "1h0m0s", "2h0m0s", "4h0m0s", "8h0m0s", "12h0m0s"}
	if MaxAttempts != len(want) {
		t.Fatalf("%d attempts", MaxAttempts)
	}
	for made, w := range want {
		d, ok := NextDelay(made, 0, 0.5)
		if !ok || d.String() != w {
			t.Errorf("after %d attempts: got %s, %v; want %s", made, d, ok, w)
		}
	}
	for _, made := range []int{len(want), len(want) + 1, 1 << 30} {
		if d, ok := NextDelay(made, time.Hour, 0.5); ok || d != 0 {
			t.Errorf("after %d attempts another was promised in %s", made, d)
		}
	}
	if d, ok := NextDelay(-1, 0, 0.5); !ok || d != 0 {
		t.Errorf("a negative count gave %s, %v", d, ok)
	}
}

func TestNextDelayJittersByAFifthAndHonoursTheReceiver(t *testing.T) {
	property := func(n uint8, wish int64, r uint32) bool {
		made := int(n) % MaxAttempts
		rnd := float64(r) / (1 << 32)
		base := schedule[made]
		asked := time.Duration(wish)
		d, ok := NextDelay(made, asked, rnd)
		plain, _ := NextDelay(made, 0, rnd)
		return ok && d >= 0 && d >= min(asked, MaxRetryAfter) && d >= plain &&
			plain >= base*8/10-1 && plain <= base*12/10 &&
			d <= max(base*12/10, MaxRetryAfter)
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	low, _ := NextDelay(4, 0, 0)
	high, _ := NextDelay(4, 0, 0.999)
	if low != 8*time.Minute || high < 11*time.Minute {
		t.Errorf("10 minutes are moved to between %s and %s", low, high)
	}
}

func TestPostPassesOnHowLongTheReceiverWantsToRest(t *testing.T) {
	clock := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		header string
		want   time.Duration
	}{
		{429, "120", 2 * time.Minute},
		{503, "0", 0},
		{503, " 7 ", 7 * time.Second},
		{410, "60", time.Minute},
		{302, "60", time.Minute},
		{429, "43200", 12 * time.Hour},
		{429, "43201", 12 * time.Hour},
		{429, "99999999999999999999999", 12 * time.Hour},
		{429, clock.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{429, clock.Add(90 * time.Second).Format(time.RFC850), 90 * time.Second},
		{429, clock.Add(90 * time.Second).Format(time.ANSIC), 90 * time.Second},
		{429, clock.Add(-time.Hour).Format(http.TimeFormat), 0},
		{429, clock.AddDate(5, 0, 0).Format(http.TimeFormat), 12 * time.Hour},
		{429, "", 0}, {429, "-5", 0}, {429, "+5", 0}, {429, "1.5", 0}, {429, "soon", 0}, {429, "1e3", 0},
		{200, "120", 0},
	} {
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.header)
			w.WriteHeader(c.status)
		})
		o := lab(r.ca, r.URL)
		o.Now = func() time.Time { return clock }
		a, got := post(t, mustNew(t, o), r.URL)
		if got != c.want || a.HTTPStatus != c.status {
			t.Errorf("%d with Retry-After %q: got %s (%+v), want %s", c.status, c.header, got, a, c.want)
		}
	}
}
