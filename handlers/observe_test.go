package handlers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
)

// lines reads the log; every line must be JSON.
func (f *fixture) lines(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for s := bufio.NewScanner(strings.NewReader(f.log.String())); s.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, s.Text())
		}
		out = append(out, line)
	}
	return out
}

func TestAcceptedDeliveryHasOneLogLine(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(good))
	lines := f.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines: %s", len(lines), f.log)
	}
	l := lines[0]
	if l["level"] != "info" || l["task"] != "0193-1-0" || l["source"] != "soar" || l["code"] != "accepted" || l["took"] == nil {
		t.Fatalf("%v", l)
	}
}

func TestRefusedDeliveryTellsTheLogWhyAndFromWhere(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(good), header("webhook-timestamp", "1795320800"), header("X-Forwarded-For", "203.0.113.9"))
	l := f.lines(t)[0]
	if l["level"] != "warn" || l["source"] != "soar" || l["code"] != "bad_signature" || l["reason"] != "too_old" || l["client"] != "192.0.2.1" {
		t.Fatalf("%v", l)
	}
}

func TestForwardedAddressIsBelievedOnlyFromATrustedProxy(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.TrustedProxies = []string{"192.0.2.0/24"} })
	f.deliver("msg_1", "", header("X-Forwarded-For", "203.0.113.9"))
	if l := f.lines(t)[0]; l["client"] != "203.0.113.9" {
		t.Fatalf("%v", l)
	}
}

func TestFloodOfRefusalsDoesNotFloodTheLogButIsCounted(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.Refusals = source.Rate{Count: 1000, Per: time.Second} }) // from many addresses
	f.fast = true
	for range 1000 {
		f.deliver("msg_1", native(good), header("webhook-id"))
	}
	if n := len(f.lines(t)); n < 10 || n > 500 {
		t.Fatalf("%d lines", n)
	}
	if m := f.scraped(); !strings.Contains(m, `resetd_hook_signatures_refused_total{reason="missing_header",source="soar"} 1000`) {
		t.Fatal(m)
	}
}

func (f *fixture) scraped() string { return f.call("GET", "/metrics", viewerToken, "").body }

func TestMetricsTellWhatCameOfDeliveries(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(good))
	f.deliver("msg_1", native(good))
	f.deliver("msg_2", native(`[]`))
	f.deliver("msg_3", native(`{"account":""}`))
	f.deliver("msg_4", native(good), func(r *http.Request) { r.URL.Path = "/v1/hooks/stranger" })
	f.call("GET", "/v1/tasks/known?wait=1ms", viewerToken, "")
	m := f.scraped()
	for _, want := range []string{
		`resetd_hook_deliveries_total{code="accepted",source="soar"} 1`,
		`resetd_hook_deliveries_total{code="replayed",source="soar"} 1`,
		`resetd_hook_deliveries_total{code="nothing_asked",source="soar"} 1`,
		`resetd_hook_deliveries_total{code="invalid_request",source="soar"} 1`,
		`resetd_hook_deliveries_total{code="unknown_source",source="-"} 1`,
		`resetd_hook_signatures_refused_total{reason="no_match",source="soar"} 0`,
		`resetd_http_request_seconds_count{method="POST",route="/v1/hooks/{source}",status="202"} 3`,
		`resetd_http_request_seconds_count{method="GET",route="/v1/tasks/{id}?wait",status="200"} 1`,
	} {
		if !strings.Contains(m, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
}

// A label that a stranger can choose is a way to fill the memory.
func TestStrangersCannotMakeNewMetrics(t *testing.T) {
	f := newFixture(t)
	f.call("BREW", "/v1/hooks/one", "", "")
	f.call("GET", "/one", "", "")
	before := len(strings.Split(f.scraped(), "\n"))
	for _, s := range []string{"two", "three", "four"} {
		f.call("POST", "/v1/hooks/"+s, "", "")
		f.call(strings.ToUpper(s), "/v1/tasks/"+s, "", "")
		f.call("GET", "/"+s, "", "")
		f.call("GET", "/v1/tasks/"+s, "", "")
	}
	m := f.scraped()
	if strings.Contains(m, "two") || strings.Contains(m, "TWO") {
		t.Error(m)
	}
	if after := len(strings.Split(m, "\n")); after > before+60 {
		t.Errorf("%d lines became %d", before, after)
	}
}

func TestEveryAnswerHasTheHeadersOfCaution(t *testing.T) {
	f := newFixture(t)
	for _, a := range []answer{f.deliver("msg_1", native(good)), f.call("GET", "/nowhere", "", ""), f.call("GET", "/healthz", "", ""),
		f.call("DELETE", "/healthz", "", ""), f.call("GET", "/v1/tasks", "", ""), f.call("GET", "/v1/tasks", viewerToken, "")} {
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%d: %v", a.StatusCode, a.Header)
		}
	}
}

func TestPanicBecomesAProblemAndItsValueIsNotShown(t *testing.T) {
	f := newFixture(t)
	f.tasks.then = func() { panic("the account was jdoe, the token " + operatorToken) }
	a := f.deliver("msg_1", native(good))
	a.want(t, 500, "internal")
	log := f.log.String()
	if strings.Contains(a.body+log, "jdoe") || strings.Contains(a.body+log, operatorToken) {
		t.Error("the panic's value is shown")
	}
	if !strings.Contains(log, "stack") || !strings.Contains(log, "Submit") {
		t.Errorf("the log has no stack: %s", log)
	}
	f.tasks.then = nil
	if a := f.deliver("msg_2", native(good)); a.StatusCode != 202 {
		t.Errorf("after a panic: %d", a.StatusCode)
	}
}

func TestRuntimeErrorOfAPanicIsNamed(t *testing.T) {
	f := newFixture(t)
	f.tasks.then = func() { _ = f.tasks.got[7] }
	f.deliver("msg_1", native(good)).want(t, 500, "internal")
	if !strings.Contains(f.log.String(), "index out of range") {
		t.Error(f.log)
	}
}

func TestAbortedHandlerIsLeftToTheServer(t *testing.T) {
	f := newFixture(t)
	f.tasks.then = func() { panic(http.ErrAbortHandler) }
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Fatalf("recovered %v", v)
		}
	}()
	f.deliver("msg_1", native(good))
}

func TestHealthDoesNotDependOnReadiness(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) {
		d.Ready = func(context.Context) error { return errors.New("ledger at postgres://resetd:hunter2@db is down") }
	})
	if a := f.call("GET", "/healthz", "", ""); a.StatusCode != 200 || a.body != `{"status":"ok"}` {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	a := f.call("GET", "/readyz", "", "")
	a.want(t, 503, "not_ready")
	if strings.Contains(a.body, "hunter2") || a.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", a.body, a.Header)
	}
}

func TestReadinessIsAskedWithADeadline(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) {
		d.Ready = func(ctx context.Context) error {
			if until, ok := ctx.Deadline(); !ok || time.Until(until) > 5*time.Second {
				t.Errorf("deadline %v %v", until, ok)
			}
			return nil
		}
	})
	if a := f.call("GET", "/readyz", "", ""); a.StatusCode != 200 {
		t.Error(a.StatusCode)
	}
}

func TestHeadAnswersAsGetDoes(t *testing.T) {
	f := newFixture(t)
	for _, target := range []string{"/healthz", "/readyz", "/openapi.yaml", "/v1/tasks"} {
		r := httptest.NewRequest("HEAD", target, nil)
		r.Header.Set("Authorization", "Bearer "+viewerToken)
		if a := f.do(r); a.StatusCode != 200 {
			t.Errorf("%s: %d", target, a.StatusCode)
		}
	}
}
