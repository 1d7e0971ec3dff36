package jobs

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	accepted, replays, coalesced, finished, deferred, doubts, lost, direct, callbacks *prometheus.CounterVec
	took                                                                              *prometheus.HistogramVec
}

// newMetrics makes the jobs' metrics and registers them; a nil registerer makes them unseen.
func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "resetd", Name: name, Help: help}, labels)
	}
	m := &metrics{
		accepted:  counter("tasks_accepted_total", "Tasks recorded, by source.", "source"),
		replays:   counter("deliveries_replayed_total", "Deliveries answered with their first tasks.", "source"),
		coalesced: counter("tasks_coalesced_total", "Enforcements for which nothing was done, because another task did the same.", "source", "system"),
		finished:  counter("enforcements_finished_total", "Enforcements that ended, by event and outcome code.", "system", "event", "code"),
		deferred:  counter("enforcements_deferred_total", "Attempts put off, by outcome code.", "system", "code"),
		doubts:    counter("enforcements_in_doubt_total", "Attempts of unknown outcome that were verified by evidence.", "system"),
		lost:      counter("queue_wakeups_lost_total", "Wake-ups that the queue lost and the sweep brought back.", "queue"),
		direct:    counter("queue_bypassed_total", "Works done without the queue, because it could not be reached.", "queue"),
		callbacks: counter("callbacks_total", "Callback attempts, by the state they led to.", "source", "state"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "resetd", Name: "enforcement_seconds",
			Help: "Time from acceptance to the end of an enforcement that was not coalesced.", Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600}}, []string{"system"}),
	}
	if reg != nil {
		reg.MustRegister(m.accepted, m.replays, m.coalesced, m.finished, m.deferred, m.doubts, m.lost, m.direct, m.callbacks, m.took)
	}
	return m
}
