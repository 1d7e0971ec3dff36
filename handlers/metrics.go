package handlers

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/handlers/source/verify"
)

// noSource is the source label of what could not be laid to a source; no source can have it as its name.
const noSource = "-"

// metrics counts what comes in. Every label comes from a closed list: what strangers send never becomes one.
type metrics struct {
	seconds    *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	refused    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, sources []string) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "resetd_http_request_seconds",
			Help:    "Time from the end of a request's header to the end of its answer, by route as in /openapi.yaml. Calls that wait for a task have the route with ?wait.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "resetd_hook_deliveries_total",
			Help: "Deliveries of webhooks, by source and by what came of them: accepted, replayed, ignored, nothing_asked, handshake, or the name of the problem.",
		}, []string{"source", "code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "resetd_hook_signatures_refused_total",
			Help: "Deliveries that were not proved to be their source's, by source and by the check that failed.",
		}, []string{"source", "reason"}),
	}
	for _, c := range []prometheus.Collector{m.seconds, m.deliveries, m.refused} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	// A counter that is there from the start lets an alert see the first increase.
	for _, s := range sources {
		m.deliveries.WithLabelValues(s, "accepted")
		for _, reason := range verify.Reasons() {
			m.refused.WithLabelValues(s, string(reason))
		}
	}
	return m, nil
}

// route gives the function that records the calls of one route and method.
func (m *metrics) route(path, method string) func(*call, time.Duration) {
	plain := m.seconds.MustCurryWith(prometheus.Labels{"route": path, "method": method})
	waited := m.seconds.MustCurryWith(prometheus.Labels{"route": path + "?wait", "method": method})
	return func(c *call, d time.Duration) {
		by := plain
		if c.waited {
			by = waited
		}
		by.WithLabelValues(strconv.Itoa(c.Writer.Status())).Observe(d.Seconds())
	}
}

// delivery records what came of one delivery.
func (m *metrics) delivery(c *call) {
	source := c.source
	if source == "" {
		source = noSource
	}
	m.deliveries.WithLabelValues(source, c.code).Inc()
	if c.reason != "" {
		m.refused.WithLabelValues(source, c.reason).Inc()
	}
}
