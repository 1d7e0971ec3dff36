package connectors

import (
	"context"
	"fmt"
	"time"

	"github.com/resetd/resetd/schemas"
)

// CheckLimit bounds one check of one system, waiting for its rate included.
const CheckLimit = 30 * time.Second

// When a check warns. A certificate that is renewed by hand takes days; tokens are refused by a clock that is a minute off,
// and evidence is compared with times of the system.
const (
	certificateSoon = 14 * 24 * time.Hour
	clockOff        = 5 * time.Second
	clockFarOff     = time.Minute
)

// Check asks a system now, without changing anything, and gives what a person must know and do, topic by topic. The
// result is remembered for LastCheck. The error is that no such system is configured; it wraps schemas.ErrNotFound.
func (s *Set) Check(ctx context.Context, system string) (schemas.Check, error) {
	one, err := s.find(system)
	if err != nil {
		return schemas.Check{}, err
	}
	return one.check(ctx), nil
}

// LastCheck gives what the last check of a system in this process found, or nil.
func (s *Set) LastCheck(system string) *schemas.Check {
	one := s.systems[system]
	if one == nil {
		return nil
	}
	one.known.mu.Lock()
	defer one.known.mu.Unlock()
	return one.known.checked
}

func (s *system) check(ctx context.Context) schemas.Check {
	ctx, cancel := context.WithTimeout(ctx, CheckLimit)
	defer cancel()
	var raw error // as the connector gave it: what is handed on tells less
	began, at := time.Now(), s.options.Now()
	got, err := s.probe(ctx, &raw)
	if ctx.Err() != nil && schemas.CodeOf(err) == schemas.CodeTimedOut {
		err = schemas.Fail(schemas.CodeTimedOut, "there was no answer in the time that a check may take, %s at most", CheckLimit)
	}
	took := time.Since(began)
	out := schemas.Check{System: s.Name, At: at, TookMS: took.Milliseconds()}
	if err != nil {
		out.Findings = s.findingsOfError(err, raw)
	} else {
		out.Findings = s.findingsOf(got, at.Add(took/2), took)
	}
	out.State = schemas.Verdict(out.Findings)
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.checked = &out
	if len(got.Missing)+len(got.Unenforced) > 0 || err != nil {
		s.known.until = time.Time{} // a better answer is no longer believed
	}
	return out
}

// findings collects rows in the order of the topics.
type findings []schemas.Finding

func (f *findings) add(topic schemas.Topic, state schemas.FindingState, format string, args ...any) {
	*f = append(*f, schemas.Finding{Topic: topic, State: state, Detail: fmt.Sprintf(format, args...)})
}

// each adds one row for each text, or the one for none.
func (f *findings) each(topic schemas.Topic, state schemas.FindingState, texts []string, none string) {
	for _, t := range texts {
		f.add(topic, state, "%s", t)
	}
	if len(texts) == 0 && none != "" {
		f.add(topic, schemas.FindingOK, "%s", none)
	}
}

// findingsOf reads a probe that was answered. Now is our clock at about the moment of the answer.
func (s *system) findingsOf(got schemas.Capabilities, now time.Time, took time.Duration) []schemas.Finding {
	var f findings
	f.add(schemas.TopicConfiguration, schemas.FindingOK, "%s", s.settings())
	product := got.Product
	if product == "" {
		product = s.Kind
	}
	f.add(schemas.TopicReachability, schemas.FindingOK, "%s answers in %d ms", product, took.Milliseconds())
	f.certificate(got.TLS, now)
	f.add(schemas.TopicCredentials, schemas.FindingOK, "the log-in is accepted")
	if !s.granted() {
		f.add(schemas.TopicRights, schemas.FindingFail, "%s", s.detail(s.notPermitted()))
	}
	revoke := "it can end sessions"
	if !got.Revoke {
		revoke = "it cannot end sessions (" + string(schemas.CodeUnsupported) + ")"
	}
	f.each(schemas.TopicRights, schemas.FindingFail, got.Missing, "the system allows everything that a reset needs; modes: "+orNone(got.Modes)+"; "+revoke)
	f.each(schemas.TopicPolicy, schemas.FindingFail, got.Unenforced, "nothing is known that would keep a reset from being enforced")
	f.each(schemas.TopicPolicy, schemas.FindingWarn, got.Warn, "")
	f.clock(got.Clock, now)
	if got.Limit != "" {
		f.add(schemas.TopicRateLimit, schemas.FindingOK, "%s", got.Limit)
	} else {
		f.add(schemas.TopicRateLimit, schemas.FindingUnknown, "the system says nothing of a limit")
	}
	return f
}

// certificate tells how the connection is protected, and how long its certificate holds.
func (f *findings) certificate(t *schemas.TLS, now time.Time) {
	switch {
	case t == nil:
		f.add(schemas.TopicTLS, schemas.FindingUnknown, "the connector tells nothing of the connection's protection")
	case t.Until.IsZero():
		f.add(schemas.TopicTLS, schemas.FindingOK, "%s", t.Version)
	case !t.Until.After(now):
		f.add(schemas.TopicTLS, schemas.FindingFail, "%s; a certificate of the chain ran out on %s; renew it", t.Version, date(t.Until))
	case t.Until.Sub(now) <= certificateSoon:
		f.add(schemas.TopicTLS, schemas.FindingWarn, "%s; a certificate of the chain runs out on %s (in less than %s); renew it before that", t.Version, date(t.Until), days(t.Until.Sub(now)))
	default:
		f.add(schemas.TopicTLS, schemas.FindingOK, "%s; the certificates hold until %s", t.Version, date(t.Until))
	}
}

// clock compares the system's clock with ours. A difference keeps no reset from working by itself.
func (f *findings) clock(theirs, ours time.Time) {
	if theirs.IsZero() {
		f.add(schemas.TopicClock, schemas.FindingUnknown, "the system does not tell its time")
		return
	}
	off, way := theirs.Sub(ours).Round(time.Second), "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	switch {
	case off > clockFarOff:
		f.add(schemas.TopicClock, schemas.FindingWarn, "the system's clock is %s %s ours: tokens may be refused, and times in its record mislead; set up NTP on both machines now", off, way)
	case off > clockOff:
		f.add(schemas.TopicClock, schemas.FindingWarn, "the system's clock is %s %s ours; set up NTP on both machines", off, way)
	default:
		f.add(schemas.TopicClock, schemas.FindingOK, "the clocks agree within %s", max(off, time.Second))
	}
}

// settings says in words what the configuration gives beside the connector's own settings.
func (s *system) settings() string {
	text := fmt.Sprintf("%s; a call may take %s", s.Kind, s.Timeout)
	if s.Rate.Count > 0 && s.Rate.Per > 0 {
		text += fmt.Sprintf("; at most %d calls in %s", s.Rate.Count, s.Rate.Per)
	}
	return text
}

// days gives a time in whole days, rounded up.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if n := d/day + 1; n > 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "a day"
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
