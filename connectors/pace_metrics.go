package connectors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// conditions tells how the systems stand when somebody scrapes.
type conditions struct{ set *Set }

var (
	descState = prometheus.NewDesc("resetd_system_state", "1 for the state that calls to the system are in: closed (they go through), "+
		"open, half_open or paused.", []string{"system", "state"}, nil)
	descPause = prometheus.NewDesc("resetd_system_pause_seconds", "For how long the system is still left alone, because it asked for it or "+
		"does not answer.", []string{"system"}, nil)
	descShare = prometheus.NewDesc("resetd_system_pace_share", "The share of its pace that the system gets: less than 1 after it said that "+
		"its allowance is nearly used up.", []string{"system"}, nil)
)

// Describe tells the kinds of metrics.
func (c conditions) Describe(out chan<- *prometheus.Desc) {
	out <- descState
	out <- descPause
	out <- descShare
}

// Collect gives them.
func (c conditions) Collect(out chan<- prometheus.Metric) {
	for _, name := range c.set.order {
		now := c.set.systems[name].condition()
		for _, state := range states {
			value := 0.0
			if state == now.State {
				value = 1
			}
			out <- prometheus.MustNewConstMetric(descState, prometheus.GaugeValue, value, name, string(state))
		}
		left := 0.0
		if !now.Until.IsZero() {
			left = max(0, time.Until(now.Until).Seconds())
		}
		out <- prometheus.MustNewConstMetric(descPause, prometheus.GaugeValue, left, name)
		out <- prometheus.MustNewConstMetric(descShare, prometheus.GaugeValue, now.Share, name)
	}
}
