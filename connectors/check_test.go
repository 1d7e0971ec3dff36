package connectors_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// checked runs a check on a connector whose probe answers so, at a known time.
func checked(t *testing.T, got schemas.Capabilities, err error) (schemas.Check, room) {
	t.Helper()
	r := newRoom(t, &scripted{probe: func(context.Context) (schemas.Capabilities, error) { return got, err }},
		func(_ *connectors.System, o *connectors.Options) { o.Now = func() time.Time { return today } })
	c, err := r.Check(t.Context(), "corp")
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

// about gives the findings of a topic.
func about(c schemas.Check, topic schemas.Topic) []schemas.Finding {
	var out []schemas.Finding
	for _, f := range c.Findings {
		if f.Topic == topic {
			out = append(out, f)
		}
	}
	return out
}

func TestCheckTellsEveryTopicInOrder(t *testing.T) {
	c, r := checked(t, schemas.Capabilities{Product: "Directory 7", Modes: []schemas.Mode{schemas.ModeRandomize}, Revoke: true,
		TLS: &schemas.TLS{Version: "TLS 1.3", Until: today.AddDate(1, 0, 0)}, Clock: today, Limit: "600 calls in a minute"}, nil)
	if c.System != "corp" || !c.At.Equal(today) || c.State != schemas.FindingOK {
		t.Errorf("%+v", c)
	}
	var topics []schemas.Topic
	for _, f := range c.Findings {
		topics = append(topics, f.Topic)
		if f.State != schemas.FindingOK || f.Detail == "" {
			t.Errorf("%+v", f)
		}
	}
	if len(topics) != len(schemas.Topics()) {
		t.Errorf("topics %v", topics)
	}
	for i, topic := range schemas.Topics() {
		if topics[i] != topic {
			t.Errorf("topic %d is %s, want %s", i, topics[i], topic)
		}
	}
	if last := r.LastCheck("corp"); last == nil || last.State != c.State || len(last.Findings) != len(c.Findings) {
		t.Errorf("it is not remembered: %+v", last)
	}
	if r.LastCheck("other") != nil {
		t.Error("a system that is not there has a check")
	}
	_, err := r.Check(t.Context(), "other")
	if !errors.Is(err, schemas.ErrNotFound) {
		t.Errorf("unknown system: %v", err)
	}
}

func TestCheckGivesOneRowForEachThingToDo(t *testing.T) {
	c, _ := checked(t, schemas.Capabilities{Missing: []string{"grant A", "grant B"}, Unenforced: []string{"load the overlay"}, Warn: []string{"holds too much " + secret}}, nil)
	if c.State != schemas.FindingFail {
		t.Errorf("%s", c.State)
	}
	if f := about(c, schemas.TopicRights); len(f) != 2 || f[0].Detail != "grant A" || f[1].Detail != "grant B" || f[0].State != schemas.FindingFail {
		t.Errorf("rights: %+v", f)
	}
	f := about(c, schemas.TopicPolicy)
	if len(f) != 2 || f[0].State != schemas.FindingFail || f[1].State != schemas.FindingWarn {
		t.Fatalf("policy: %+v", f)
	}
	if strings.Contains(f[1].Detail, secret) {
		t.Errorf("a secret is shown: %s", f[1].Detail)
	}
	c, _ = checked(t, schemas.Capabilities{Warn: []string{"holds too much"}}, nil)
	if c.State != schemas.FindingWarn {
		t.Errorf("a warning alone gives %s", c.State)
	}
}

func TestCheckTellsOfTheMissingPermission(t *testing.T) {
	r := newRoom(t, &scripted{}, func(s *connectors.System, _ *connectors.Options) { s.Permitted = func() bool { return false } })
	c, err := r.Check(t.Context(), "corp")
	if err != nil {
		t.Fatal(err)
	}
	if f := about(c, schemas.TopicRights); c.State != schemas.FindingFail || f[0].State != schemas.FindingFail || !strings.Contains(f[0].Detail, "enforcement") {
		t.Errorf("%+v", f)
	}
}

func TestCheckWarnsOfCertificatesAndClocksInTime(t *testing.T) {
	for until, want := range map[time.Time]schemas.FindingState{
		today.Add(-time.Second):                   schemas.FindingFail,
		today.Add(time.Hour):                      schemas.FindingWarn,
		today.Add(13*24*time.Hour + 12*time.Hour): schemas.FindingWarn,
		today.Add(15 * 24 * time.Hour):            schemas.FindingOK,
		{}:                                        schemas.FindingOK,
	} {
		c, _ := checked(t, schemas.Capabilities{TLS: &schemas.TLS{Version: "TLS 1.3", Until: until}}, nil)
		if f := about(c, schemas.TopicTLS); len(f) != 1 || f[0].State != want || !strings.Contains(f[0].Detail, "TLS 1.3") {
			t.Errorf("until %s: %+v", until, f)
		}
	}
	for off, want := range map[time.Duration]schemas.FindingState{0: schemas.FindingOK, 4 * time.Second: schemas.FindingOK,
		-4 * time.Second: schemas.FindingOK, 8 * time.Second: schemas.FindingWarn, -8 * time.Second: schemas.FindingWarn, -2 * time.Minute: schemas.FindingWarn} {
		c, _ := checked(t, schemas.Capabilities{Clock: today.Add(off)}, nil)
		f := about(c, schemas.TopicClock)
		if len(f) != 1 || f[0].State != want || off == -2*time.Minute && !strings.Contains(f[0].Detail, "2m0s behind ours: tokens") {
			t.Errorf("%s off: %+v", off, f)
		}
	}
	c, _ := checked(t, schemas.Capabilities{}, nil)
	for _, topic := range []schemas.Topic{schemas.TopicTLS, schemas.TopicClock, schemas.TopicRateLimit} {
		if f := about(c, topic); len(f) != 1 || f[0].State != schemas.FindingUnknown {
			t.Errorf("%s untold: %+v", topic, f)
		}
	}
}

func TestCheckSaysWhichTopicFailedAndWhatWasNotLookedAt(t *testing.T) {
	badTLS := schemas.Fail(schemas.CodeUnavailable, "the certificate is not trusted").Because(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	for name, one := range map[string]struct {
		err   error
		topic schemas.Topic
	}{
		"down":         {schemas.Fail(schemas.CodeUnavailable, "no route"), schemas.TopicReachability},
		"slow":         {schemas.Fail(schemas.CodeTimedOut, "no answer"), schemas.TopicReachability},
		"nonsense":     {errors.New("what"), schemas.TopicReachability},
		"certificate":  {badTLS, schemas.TopicTLS},
		"plain http":   {schemas.Fail(schemas.CodeUnavailable, "the server speaks plain http").Because(http.ErrSchemeMismatch), schemas.TopicTLS},
		"password":     {schemas.Fail(schemas.CodeBadCredentials, "refused "+secret), schemas.TopicCredentials},
		"right":        {schemas.Fail(schemas.CodePermissionMissing, "grant it"), schemas.TopicRights},
		"unsupported":  {schemas.Fail(schemas.CodeUnsupported, "refers to another"), schemas.TopicPolicy},
		"asks to wait": {schemas.Fail(schemas.CodeRateLimited, "later"), schemas.TopicRateLimit},
	} {
		c, _ := checked(t, schemas.Capabilities{}, one.err)
		if c.State != schemas.FindingFail || len(c.Findings) != len(schemas.Topics()) {
			t.Errorf("%s: %+v", name, c)
		}
		behind := false
		for _, f := range c.Findings {
			switch {
			case f.Topic == one.topic:
				behind = true
				if f.State != schemas.FindingFail || strings.Contains(f.Detail, secret) {
					t.Errorf("%s: %+v", name, f)
				}
			case f.State == schemas.FindingFail, behind && f.State != schemas.FindingUnknown:
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// What a check finds out counts at once: a good probe that is still believed must not outlive it.
func TestBadCheckEndsTheBeliefInAGoodProbe(t *testing.T) {
	var missing []string
	c := &scripted{}
	c.probe = func(context.Context) (schemas.Capabilities, error) {
		return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}, Missing: missing}, nil
	}
	r := newRoom(t, c, nil)
	if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	missing = []string{"grant A"}
	if _, err := r.Check(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "after the check", r.Preflight(t.Context(), "corp", schemas.ModeRandomize), schemas.CodePermissionMissing)
}

// The permission may be withdrawn between the preflight and the reset.
func TestPermissionIsAskedAgainBeforeEachChange(t *testing.T) {
	granted := true
	c := &scripted{receipt: func(context.Context) (schemas.Receipt, error) { return schemas.Receipt{Code: schemas.CodeOK}, nil }}
	r := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) { s.Permitted = func() bool { return granted } })
	id := schemas.Identity{ID: "1"}
	if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reset(t.Context(), "corp", id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	granted = false
	calls := c.calls.Load()
	_, err1 := r.Reset(t.Context(), "corp", id, schemas.ModeRandomize)
	_, err2 := r.Revoke(t.Context(), "corp", id)
	wantCode(t, "reset", err1, schemas.CodePermissionMissing)
	wantCode(t, "revoke", err2, schemas.CodePermissionMissing)
	if c.calls.Load() != calls {
		t.Error("the connector was called")
	}
	if r.Systems()[0].Granted {
		t.Error("Systems says that it is granted")
	}
}
