package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the queue counts. Depth is asked of Redis when somebody scrapes.
type metrics struct {
	q        *Queue
	enqueued *prometheus.CounterVec
	failed   *prometheus.CounterVec
	rings    *prometheus.CounterVec
	up       prometheus.Gauge
	depth    *prometheus.Desc

	registry prometheus.Registerer
}

func newMetrics(q *Queue) *metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "resetd", Subsystem: "queue", Name: name, Help: help,
		}, []string{"queue"})
	}
	m := &metrics{
		q:        q,
		enqueued: counter("enqueued_total", "Wake-ups put on the queue; those that were there already do not count."),
		failed:   counter("enqueue_errors_total", "Wake-ups that could not be put on the queue; the ledger's sweep tries again."),
		rings:    counter("rings_total", "Times that workers were told to look into the queue."),
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "resetd", Subsystem: "queue", Name: "redis_up", Help: "Whether Redis answers: 1, or 0.",
		}),
		depth: prometheus.NewDesc("resetd_queue_depth", "Wake-ups on the queue that no worker has taken.", []string{"queue"}, nil),
	}
	m.up.Set(1)
	return m
}

// register makes the metrics known. A nil registry is none.
func (m *metrics) register(registry prometheus.Registerer) error {
	if registry == nil {
		return nil
	}
	if err := registry.Register(m); err != nil {
		return fmt.Errorf("registering the queue's metrics: %w: give each queue a registry of its own", err)
	}
	m.registry = registry
	return nil
}

func (m *metrics) unregister() {
	if m.registry != nil {
		m.registry.Unregister(m)
	}
}

// Describe tells the kinds of metrics.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	m.enqueued.Describe(out)
	m.failed.Describe(out)
	m.rings.Describe(out)
	m.up.Describe(out)
	out <- m.depth
}

// Collect gives them. A depth that Redis does not tell within a second is left out.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	m.enqueued.Collect(out)
	m.failed.Collect(out)
	m.rings.Collect(out)
	m.up.Collect(out)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, l := range m.q.all() {
		depth, err := m.q.Depth(ctx, l.name)
		if err != nil {
			return
		}
		out <- prometheus.MustNewConstMetric(m.depth, prometheus.GaugeValue, float64(depth), l.name)
	}
}
