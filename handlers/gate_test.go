package handlers_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

func TestSourceBeyondItsDeliveriesIsToldWhenThereIsRoom(t *testing.T) {
	now := clock
	f := newFixture(t, withSources(t, source.Config{Name: "soar", Preset: "native", Profile: keyed(soarKey), Limits: source.Limits{Deliveries: source.Rate{Count: 2, Per: time.Minute}}}),
		func(d *handlers.Deps) { d.Now = func() time.Time { return now } })
	for i := range 2 {
		f.deliver("msg_"+strconv.Itoa(i), native(good)).taken(t)
	}
	a := f.deliver("msg_3", native(good))
	a.want(t, 429, "throttled")
	if after := a.Header.Get("Retry-After"); after != "30" {
		t.Errorf("Retry-After %q", after)
	}
	if n := len(f.tasks.submissions()); n != 2 {
		t.Errorf("%d submissions", n)
	}
	now = now.Add(30 * time.Second)
	f.deliver("msg_3", native(good), signedAt(t, now, "msg_3", native(good))).taken(t)
}

func TestQuotaCountsRequestsAndTakesADeliveryWholeOrNotAtAll(t *testing.T) {
	f := newFixture(t, withSources(t, source.Config{Name: "soar", Preset: "native", Profile: keyed(soarKey), Limits: source.Limits{Requests: source.Rate{Count: 3, Per: time.Hour}}}))
	f.deliver("msg_1", native(`[{"account":"a"},{"account":"b"}]`)).taken(t)
	f.deliver("msg_2", native(`[{"account":"c"},{"account":"d"}]`)).want(t, 429, "throttled")
	f.deliver("msg_3", native(`{"account":"c"}`)).taken(t)
	f.deliver("msg_4", native(`[{"account":"a"},{"account":"b"},{"account":"c"},{"account":"d"}]`)).want(t, 422, "over_quota") // never fits, so later does not help
}

// Whoever keeps sending what is refused is held back before his deliveries cost anything; a sender whose deliveries hold is
// not, however many they are.
func TestAddressThatIsRefusedAgainAndAgainIsHeldBack(t *testing.T) {
	now := clock
	f := newFixture(t, func(d *handlers.Deps) {
		d.Refusals = source.Rate{Count: 1, Per: time.Second}
		d.Now = func() time.Time { return now }
	})
	f.fast = true
	forged := func(r *http.Request) {
		r.Header.Set("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	}
	for i := range 50 {
		f.deliver("msg_"+strconv.Itoa(i), native(good)).taken(t)
	}
	for range 10 {
		f.deliver("msg_x", native(good), forged).want(t, 401, "bad_signature")
	}
	f.deliver("msg_x", native(good), forged).want(t, 429, "too_many_refusals")
	f.deliver("msg_y", native(good)).want(t, 429, "too_many_refusals")
	f.deliver("msg_z", native(good), func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1000" }).taken(t)
	now = now.Add(2 * time.Second)
	f.deliver("msg_y", native(good), signedAt(t, now, "msg_y", native(good))).taken(t)
}

func TestAddressesOfOneIPv6NetworkCountAsOne(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.Refusals = source.Rate{Count: 1, Per: time.Second} })
	f.fast = true
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = addr; r.Header.Del("webhook-signature") }
	}
	for i := range 10 {
		f.deliver("m", native(good), from("[2001:db8:1:2::"+strconv.Itoa(i)+"]:1000")).want(t, 401, "bad_signature")
	}
	f.deliver("m", native(good), from("[2001:db8:1:2:ffff::1]:1000")).want(t, 429, "too_many_refusals")
	f.deliver("m", native(good), from("[2001:db8:1:3::1]:1000")).want(t, 401, "bad_signature")
}

// A quota is of what was accepted: what a full ledger sent away, and what the sender repeats, must not use it up.
func TestQuotaIsNotUsedByWhatWasNotAccepted(t *testing.T) {
	f := newFixture(t, withSources(t, source.Config{Name: "soar", Preset: "native", Profile: keyed(soarKey), Limits: source.Limits{Requests: source.Rate{Count: 2, Per: time.Hour}}}))
	f.tasks.fail = schemas.ErrOverloaded
	for range 3 {
		f.deliver("msg_1", native(`[{"account":"a"},{"account":"b"}]`)).want(t, 503, "overloaded")
	}
	f.tasks.fail = nil
	f.deliver("msg_2", native(`{"account":"c"}`)).taken(t)
	for range 3 {
		f.deliver("msg_2", native(`{"account":"c"}`)).taken(t)
	}
	f.deliver("msg_3", native(`{"account":"d"}`)).taken(t)
	f.deliver("msg_4", native(`{"account":"e"}`)).want(t, 429, "throttled")
}

// A body that cannot be read costs as much as a wrong proof, and comes before any proof.
func TestBodiesThatCannotBeReadAreCountedAsRefused(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.Refusals = source.Rate{Count: 1, Per: time.Second} })
	f.fast = true
	large := func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("a", handlers.MaxBody+1))), -1
	}
	for range 10 {
		f.deliver("msg_1", native(good), large).want(t, 413, "body_too_large")
	}
	f.deliver("msg_1", native(good), large).want(t, 429, "too_many_refusals")
}
