package callback

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

type metrics struct {
	attempts *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// newMetrics makes the metrics and registers them; a nil registerer leaves them unseen.
func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "resetd", Name: "callback_attempts_total",
			Help: "Attempts to deliver a callback, by source and result class."}, []string{"source", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "resetd", Name: "callback_attempt_seconds",
			Help: "How long an attempt to deliver a callback took.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 20}}, []string{"source"}),
	}
	if reg != nil {
		reg.MustRegister(m.attempts, m.seconds)
	}
	return m
}

// tell counts an attempt and writes its log line. What an administrator has to put right is a warning; the rest is told
// again by whoever records the attempt.
func (p *Poster) tell(source, id string, a schemas.Attempt, took time.Duration) {
	label, class := source, a.Error
	if p.outlets[source] == nil {
		label = "unknown" // a source that was removed must not make labels for ever
	}
	if class == "" {
		class = delivered
	}
	p.metrics.attempts.WithLabelValues(label, class).Inc()
	if Counts(class) {
		p.metrics.seconds.WithLabelValues(label).Observe(took.Seconds())
	}
	level := zerolog.DebugLevel
	switch class {
	case ClassNotAllowed, ClassSign, ClassRefusedAddress, ClassTLS:
		level = zerolog.WarnLevel
	}
	p.log.WithLevel(level).Str("source", source).Str("callback", id).Str("code", class).Int("http_status", a.HTTPStatus).
		Int64("took", a.TookMS).Str("detail", a.Detail).Msg("callback attempt")
}
