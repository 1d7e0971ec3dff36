package main

import "testing"

func TestSumAddsTheSeriesOfOneMetricOnly(t *testing.T) {
	const text = `# HELP resetd_enforcements_finished_total Enforcements that ended.
resetd_enforcements_finished_total{code="ok",event="succeeded",system="a"} 3
resetd_enforcements_finished_total{code="ok",event="succeeded",system="b"} 1e+02
resetd_enforcements_finished_total{code="timed_out",event="failed",system="a"} 2
resetd_enforcements_finished_total_more{event="succeeded"} 1000
resetd_tasks_accepted_total 7
`
	for _, c := range []struct {
		metric, label string
		want          float64
	}{{metricFinished, "", 105}, {metricFinished, `event="succeeded"`, 103}, {metricAccepted, "", 7}, {"resetd_absent", "", 0}} {
		if got := sum(text, c.metric, c.label); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.metric, c.label, got, c.want)
		}
	}
}
