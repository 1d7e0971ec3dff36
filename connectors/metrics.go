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
	waited  *prometheus.HistogramVec
	pauses  *prometheus.CounterVec
	missed  *prometheus.CounterVec
	alone   *prometheus.GaugeVec
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
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "resetd_system_wait_seconds",
			Help:    "How long calls waited for their turn, of those that had to.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"system"}),
		pauses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "resetd_system_pauses_total",
			Help: "Pauses that this replica was asked for, by system.",
		}, []string{"system"}),
		missed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "resetd_system_turns_missed_total",
			Help: "Turns of the rate that nobody used in time.",
		}, []string{"system"}),
		alone: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "resetd_system_rate_alone",
			Help: "1 while this replica keeps to its own share of the system's rate, because it cannot be shared.",
		}, []string{"system"}),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.seconds, m.waited, m.pauses, m.missed, m.alone} {
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
