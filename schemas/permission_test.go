package schemas

import (
	"testing"
	"time"
)

func TestALaterDecisionCountsMoreThanTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		decision   Decision
		configured Permission
		want       Permission
		from       PermissionOrigin
	}{
		{"", PermissionGranted, PermissionGranted, FromConfiguration},
		{"", PermissionNotGranted, PermissionNotGranted, FromConfiguration},
		{"", "", PermissionNotGranted, FromConfiguration},
		{DecisionConfigured, PermissionGranted, PermissionGranted, FromConfiguration},
		{DecisionConfigured, PermissionNotGranted, PermissionNotGranted, FromConfiguration},
		{DecisionGranted, PermissionNotGranted, PermissionGranted, FromRunTime},
		{DecisionNotGranted, PermissionGranted, PermissionNotGranted, FromRunTime},
		{"something that a later version may write", PermissionGranted, PermissionNotGranted, FromConfiguration},
	} {
		at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
		got := StateOf(PermissionChange{Decision: c.decision, Actor: "token:root", At: at, Reason: "CHG0042"}, c.configured)
		if got.Permission != c.want || got.From != c.from || got.Configured != c.configured {
			t.Errorf("%q over %q: %+v", c.decision, c.configured, got)
		}
		if told := got.By == "token:root" && got.At.Equal(at) && got.Reason == "CHG0042"; told != (c.from == FromRunTime) {
			t.Errorf("%q over %q tells %+v", c.decision, c.configured, got)
		}
	}
}

func TestTheGravestFindingSpeaksForACheck(t *testing.T) {
	for _, c := range []struct {
		states []FindingState
		want   FindingState
	}{
		{nil, FindingOK},
		{[]FindingState{FindingOK, FindingUnknown}, FindingOK},
		{[]FindingState{FindingWarn, FindingUnknown, FindingOK}, FindingWarn},
		{[]FindingState{FindingOK, FindingFail, FindingWarn}, FindingFail},
	} {
		var all []Finding
		for _, s := range c.states {
			all = append(all, Finding{State: s})
		}
		if got := Verdict(all); got != c.want {
			t.Errorf("%v: %s, want %s", c.states, got, c.want)
		}
	}
}
