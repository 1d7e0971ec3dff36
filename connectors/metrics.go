package connectors

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/schemas"
)

// metrics are those of all connectors. The labels have few values: systems are configured, steps and codes are closed lists.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(to prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "resetd_connector_calls_total",
			Help: "Calls to IAM systems, by system, step and outcome code.",
		}, []string{"system", "step", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "resetd_connector_call_seconds",
			Help:    "How long calls to IAM systems took, waiting for the rate included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"system", "step"}),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.seconds} {
		if err := to.Register(c); err != nil {
			return nil, fmt.Errorf("connectors: registering metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(system, step string, code schemas.Code, took time.Duration) {
	m.calls.WithLabelValues(system, step, string(code)).Inc()
	m.seconds.WithLabelValues(system, step).Observe(took.Seconds())
}
