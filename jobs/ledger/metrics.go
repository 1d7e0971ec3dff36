package ledger

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics tell how the writer fares.
type metrics struct {
	batch      prometheus.Histogram
	seconds    prometheus.Histogram
	overloaded *prometheus.CounterVec
	registered []prometheus.Collector
}

// The reasons by which overloads are counted.
const (
	reasonFull     = "full"     // too much waits for the writer
	reasonDeadline = "deadline" // the commit did not come in time
	reasonFailed   = "failed"   // the database did not take it
	reasonClosed   = "closed"   // the ledger is being closed
)

const metricSpace, metricPart = "resetd", "ledger"

// newMetrics makes the metrics without showing them to anybody, so that counting needs no question whether they are shown.
func newMetrics() *metrics {
	m := &metrics{
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: metricSpace, Subsystem: metricPart, Name: "batch_operations",
			Help: "Operations per transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: metricSpace, Subsystem: metricPart, Name: "batch_seconds",
			Help: "Time from the begin of a transaction to its durable commit.", Buckets: prometheus.ExponentialBuckets(0.00025, 2, 15)}),
		overloaded: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: metricSpace, Subsystem: metricPart, Name: "overloaded_total",
			Help: "Operations refused or given up, by reason."}, []string{"reason"}),
	}
	for _, reason := range []string{reasonFull, reasonDeadline, reasonFailed, reasonClosed} {
		m.overloaded.WithLabelValues(reason)
	}
	return m
}

// register shows the metrics, with what waits for the writer at the time of asking. A nil registerer is none.
func (m *metrics) register(reg prometheus.Registerer, w *writer) error {
	if reg == nil {
		return nil
	}
	waiting := func(kind string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: metricSpace, Subsystem: metricPart, Name: "waiting",
			Help: "What waits for the writer: tasks to be created, and other operations.", ConstLabels: prometheus.Labels{"kind": kind}}, f)
	}
	for _, c := range []prometheus.Collector{m.batch, m.seconds, m.overloaded,
		waiting("create", func() float64 { return float64(w.waitingTasks.Load()) }),
		waiting("other", func() float64 { return float64(len(w.urgent)) })} {
		if err := reg.Register(c); err != nil {
			m.unregister(reg)
			return err
		}
		m.registered = append(m.registered, c)
	}
	return nil
}

// unregister takes back what register showed.
func (m *metrics) unregister(reg prometheus.Registerer) {
	for _, c := range m.registered {
		reg.Unregister(c)
	}
	m.registered = nil
}
