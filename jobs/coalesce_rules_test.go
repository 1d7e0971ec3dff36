package jobs

import (
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestTheShorterOfWhatIsSetCounts(t *testing.T) {
	for _, c := range []struct{ source, system, want time.Duration }{
		{0, 0, coalesceFor}, {time.Hour, 0, time.Hour}, {0, time.Hour, time.Hour}, {time.Minute, 0, time.Minute}, {0, time.Minute, time.Minute},
		{time.Hour, time.Minute, time.Minute}, {time.Minute, time.Hour, time.Minute},
		{-1, 0, 0}, {0, -1, 0}, {-1, time.Hour, 0}, {time.Hour, -1, 0}, {-1, -1, 0},
	} {
		s := &Service{Options: Options{Sources: map[string]SourceRule{"s": {Coalesce: c.source}}, Rules: map[string]SystemRule{"a": {Coalesce: c.system}}}}
		if got := s.window("s", "a"); got != c.want {
			t.Errorf("%s for the source and %s for the system: %s, want %s", c.source, c.system, got, c.want)
		}
	}
}

// Names that differ in letter case or type may be two people; so may the same name in two systems.
func TestSubjectsAreWhatTheySay(t *testing.T) {
	account := func(typ schemas.AccountType, v string) schemas.Account { return schemas.Account{Type: typ, Value: v} }
	seen := map[Subject]string{}
	for name, s := range map[string]Subject{
		"a":             askedFor("a", schemas.ModeRandomize, account(schemas.AccountUserName, "jdoe")),
		"in upper case": askedFor("a", schemas.ModeRandomize, account(schemas.AccountUserName, "JDOE")),
		"as a login":    askedFor("a", schemas.ModeRandomize, account(schemas.AccountLogin, "jdoe")),
		"expire":        askedFor("a", schemas.ModeExpire, account(schemas.AccountUserName, "jdoe")),
		"b":             askedFor("b", schemas.ModeRandomize, account(schemas.AccountUserName, "jdoe")),
		"an identity":   foundAs("a", schemas.ModeRandomize, schemas.Identity{ID: "jdoe"}),
		"parts":         newSubject("ab", "c"),
		"other parts":   newSubject("a", "bc"),
	} {
		if other, ok := seen[s]; ok {
			t.Errorf("%s is %s", name, other)
		}
		seen[s] = name
	}
	if foundAs("a", schemas.ModeRandomize, schemas.Identity{ID: "1", Name: "x"}) != foundAs("a", schemas.ModeRandomize, schemas.Identity{ID: "1", Name: "y"}) {
		t.Error("a name makes another identity")
	}
}

func TestWhoSharesTheEndOfTheFirst(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &Service{Options: Options{Now: func() time.Time { return now }, Timing: Timing{}.withDefaults()}, feeders: map[string]*feeder{QueueOf("a"): nil}}
	s.feeders[QueueOf("a")] = newFeeder(QueueOf("a"), s)
	end := func(status schemas.Status, code schemas.Code) *schemas.Enforcement {
		return &schemas.Enforcement{ID: "l.0", System: "a", Status: status, Code: code, FinishedAt: now, IntentAt: now.Add(-time.Second)}
	}
	elsewhere := end(schemas.StatusUnsuccessful, schemas.CodeUnavailable)
	elsewhere.System = "gone"
	for name, c := range map[string]struct {
		n      *schemas.Enforcement
		age    time.Duration // of the follower
		source string
		shares bool
	}{
		"success":                            {end(schemas.StatusSuccessful, schemas.CodeOK), time.Minute, "s", true},
		"it was so already":                  {end(schemas.StatusSuccessful, schemas.CodeAlreadyInForce), time.Minute, "s", true},
		"failure":                            {end(schemas.StatusUnsuccessful, schemas.CodeNeedsReview), time.Minute, "s", true},
		"unknown there":                      {end(schemas.StatusNotFound, schemas.CodeAccountNotFound), time.Minute, "s", true},
		"not there":                          {end(schemas.StatusNotApplicable, schemas.CodeNotApplicable), time.Minute, "s", true},
		"withdrawn":                          {end(schemas.StatusCancelled, ""), time.Minute, "s", false},
		"refused":                            {end(schemas.StatusRejected, schemas.CodeBrake), time.Minute, "s", false},
		"gone":                               {nil, time.Minute, "s", false},
		"failed before it was asked for":     {end(schemas.StatusUnsuccessful, schemas.CodeNeedsReview), -time.Second, "s", false},
		"given up, and there is time left":   {end(schemas.StatusUnsuccessful, schemas.CodeUnavailable), time.Minute, "s", false},
		"given up, and there is none left":   {end(schemas.StatusUnsuccessful, schemas.CodeUnavailable), 2 * time.Hour, "s", true},
		"its system is no longer configured": {elsewhere, time.Minute, "s", true},
		"the other source may not":           {end(schemas.StatusUnsuccessful, schemas.CodeResetAtSource), time.Minute, "other", false},
		"neither may the same source":        {end(schemas.StatusUnsuccessful, schemas.CodeResetAtSource), time.Minute, "s", true},
	} {
		why := s.goesOn(schemas.Task{ID: "l", Source: "s"}, c.n, schemas.Task{ID: "f", Source: c.source, CreatedAt: now.Add(-c.age)}, schemas.Enforcement{})
		if (why == "") != c.shares {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestASuccessAnswersOnlyWhatItDid(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	before, after := noon.Add(-time.Minute), noon.Add(time.Minute)
	for name, c := range map[string]struct {
		left  time.Time // the leader's skip_if_changed_since
		code  schemas.Code
		sent  time.Time
		since time.Time // the follower's
		want  bool
	}{
		"a reset":                                    {time.Time{}, schemas.CodeOK, noon, time.Time{}, true},
		"a reset after the time":                     {time.Time{}, schemas.CodeOK, noon, before, true},
		"a reset before the time":                    {time.Time{}, schemas.CodeOK, noon, after, false},
		"nobody knows when it was sent":              {time.Time{}, schemas.CodeOK, time.Time{}, before, false},
		"a reset although it might have been left":   {before, schemas.CodeOK, noon, time.Time{}, true},
		"left alone, and a reset is wanted":          {before, schemas.CodeAlreadyInForce, time.Time{}, time.Time{}, false},
		"left alone, and so it would have been":      {noon, schemas.CodeAlreadyInForce, time.Time{}, before, true},
		"left alone, and just so it would have been": {noon, schemas.CodeAlreadyInForce, time.Time{}, noon, true},
		"left alone, and it would have been reset":   {noon, schemas.CodeAlreadyInForce, time.Time{}, after, false},
		"the flag was set already":                   {time.Time{}, schemas.CodeAlreadyInForce, noon, time.Time{}, true},
	} {
		leader := schemas.Task{Request: schemas.Request{SkipIfChangedSince: c.left}}
		if got := answers(leader, schemas.Enforcement{Code: c.code, IntentAt: c.sent}, schemas.Request{SkipIfChangedSince: c.since}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatOneRequestDoesForAnother(t *testing.T) {
	no, yes := false, true
	base := schemas.Request{}.WithDefaults()
	with := func(change func(*schemas.Request)) schemas.Request {
		r := base
		change(&r)
		return r
	}
	expire, dry := with(func(r *schemas.Request) { r.Mode = schemas.ModeExpire }), with(func(r *schemas.Request) { r.DryRun = true })
	quiet, own := with(func(r *schemas.Request) { r.RevokeSessions = &no }), with(func(r *schemas.Request) { r.Coalesce = &no })
	for name, c := range map[string]struct {
		leader, r schemas.Request
		want      bool
	}{
		"the same": {base, base, true}, "another mode": {base, expire, false}, "the other way": {expire, base, false}, "both expire": {expire, expire, true},
		"a dry run": {dry, base, false}, "for a dry run": {base, dry, false}, "two dry runs": {dry, dry, false},
		"less": {base, quiet, true}, "more": {quiet, base, false}, "as little": {quiet, quiet, true},
		"asked for on its own": {base, own, false}, "for others": {own, base, true}, "coalesce: true": {base, with(func(r *schemas.Request) { r.Coalesce = &yes }), true},
	} {
		if got := covers(c.leader, c.r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What is forgotten is found out later; what is remembered is bounded.
func TestTheMemoryOfFirstOnesIsBounded(t *testing.T) {
	l := newLeads()
	for i := range 5 * rememberedLeads {
		l.put(Subject{byte(i), byte(i >> 8), byte(i >> 16)}, "t")
	}
	if n := len(l.young) + len(l.old); n > 2*rememberedLeads {
		t.Errorf("%d are remembered", n)
	}
	c := newCrowd(nil)
	for i := range 5 * rememberedCrowds {
		c.expect(schemas.EnforcementID("t", i))
	}
	if n := len(c.expected); n > rememberedCrowds {
		t.Errorf("%d are expected", n)
	}
}

// A window is no longer than it says when the clock is set back, nor when a reset that was sent long ago has not ended yet.
func TestTheWindowIsNoLongerThanItSays(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	with := &schemas.Coalesced{TaskID: "first", EnforcementID: "first.0", FinishedAt: ago(time.Minute)}
	for name, c := range map[string]struct {
		n    schemas.Enforcement
		made time.Duration // how long ago the leader was asked for
		want joint
	}{
		"just done":                            {schemas.Enforcement{Status: schemas.StatusSuccessful, IntentAt: ago(2 * time.Second), FinishedAt: ago(time.Second)}, time.Minute, shares},
		"done a window ago":                    {schemas.Enforcement{Status: schemas.StatusSuccessful, IntentAt: ago(time.Hour), FinishedAt: ago(15 * time.Minute)}, time.Hour, apart},
		"done by a clock a little ahead":       {schemas.Enforcement{Status: schemas.StatusSuccessful, FinishedAt: now.Add(time.Minute)}, time.Minute, shares},
		"done, and the clock was set":          {schemas.Enforcement{Status: schemas.StatusSuccessful, FinishedAt: now.Add(time.Hour)}, time.Minute, apart},
		"sent long before it ended":            {schemas.Enforcement{Status: schemas.StatusSuccessful, IntentAt: ago(time.Hour), FinishedAt: ago(time.Second)}, time.Hour, apart},
		"not begun for hours":                  {schemas.Enforcement{Status: schemas.StatusQueued}, 5 * time.Hour, waits},
		"sent just now":                        {schemas.Enforcement{Status: schemas.StatusInProgress, IntentAt: ago(time.Second)}, 5 * time.Hour, waits},
		"sent an hour ago, and not ended":      {schemas.Enforcement{Status: schemas.StatusQueued, IntentAt: ago(time.Hour)}, 5 * time.Hour, apart},
		"shares another's":                     {schemas.Enforcement{Status: schemas.StatusSuccessful, CoalescedWith: with, FinishedAt: ago(time.Minute)}, time.Minute, shares},
		"shares another's, asked for long ago": {schemas.Enforcement{Status: schemas.StatusSuccessful, CoalescedWith: with, FinishedAt: ago(time.Minute)}, time.Hour, apart},
		"a copy whose source ended just now":   {schemas.Enforcement{Status: schemas.StatusSuccessful, StartedAt: ago(time.Minute), FinishedAt: ago(time.Second)}, time.Hour, shares},
		"a copy whose source ended long ago":   {schemas.Enforcement{Status: schemas.StatusSuccessful, StartedAt: ago(time.Hour), FinishedAt: ago(time.Second)}, time.Hour, apart},
		"waits for another":                    {schemas.Enforcement{Status: schemas.StatusQueued, CoalescedWith: with}, time.Minute, waits},
		"waits for another since long":         {schemas.Enforcement{Status: schemas.StatusQueued, CoalescedWith: with}, time.Hour, apart},
	} {
		c.n.System = "a"
		leader := schemas.Task{ID: "l", CreatedAt: ago(c.made), Enforcements: []schemas.Enforcement{c.n}}
		if _, got := joins(leader, "a", schemas.Request{}, 15*time.Minute, now); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A sweep that took long because it ended many is no reason to keep those waiting that follow from them.
func TestASweepRestsOnlyWhenItFindsNothing(t *testing.T) {
	c := newCrowd(&Service{Options: Options{Timing: Timing{}.withDefaults()}})
	for _, one := range []struct {
		took  time.Duration
		ended int
		want  time.Duration
	}{
		{time.Millisecond, 0, time.Second}, {100 * time.Millisecond, 0, 5 * time.Second}, {time.Minute, 0, 10 * time.Second},
		{time.Millisecond, 3, time.Second}, {time.Minute, 5000, time.Second},
	} {
		if got := c.pause(one.took, int64(one.ended)); got != one.want {
			t.Errorf("after %s with %d ended: %s, want %s", one.took, one.ended, got, one.want)
		}
	}
}
