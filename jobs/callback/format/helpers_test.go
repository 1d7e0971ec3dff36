package format

import (
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// eventID is the id of the callback that these tests tell.
const eventID = "cb_0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b_5"

// sample is a task that succeeded on one system and failed on another.
func sample() schemas.Task {
	at := time.Date(2026, 11, 22, 7, 0, 0, 250e6, time.UTC)
	const id = "0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b"
	return schemas.Task{
		ID: id, Source: "soar", IdempotencyKey: "msg_1", Status: schemas.StatusPartiallySuccessful, Code: schemas.CodePermissionMissing,
		Detail: "1 of 2 systems", Request: schemas.Request{
			Account:   schemas.Account{Type: schemas.AccountAddress, Value: "jdoe@example.com"},
			Reference: "SEC-123", Description: "Credential phish, case 4711",
		},
		Enforcements: []schemas.Enforcement{
			{ID: id + ".0", System: "corp-ad", Status: schemas.StatusSuccessful, Code: schemas.CodeOK, Detail: "must change at the next log-in", Sealed: "sealed-password",
				Steps: []schemas.Step{{Name: schemas.StepReset, Code: schemas.CodeOK}, {Name: schemas.StepRevoke, Code: schemas.CodeUnsupported}}},
			{ID: id + ".1", System: "entra", Status: schemas.StatusUnsuccessful, Code: schemas.CodePermissionMissing, Detail: "grant User.ReadWrite.All",
				Steps: []schemas.Step{{Name: schemas.StepRevoke, Code: schemas.CodeOK}}},
		},
		Version: 5, CreatedAt: at.Add(-2 * time.Second), UpdatedAt: at, FinishedAt: at,
	}
}

func sampleEvent() Event {
	return Event{ID: eventID, Task: sample(), Public: "https://resetd.example.com"}
}

// given is what a source of each preset says in these tests, the reference that its receiver knows, and what the receiver
// answers to questions.
type given struct {
	spec      receiver.Spec
	reference string
	answers   map[string]string
}

func secret(s string) schemas.Secret { return schemas.NewSecret(s) }

// examples gives an example of every preset; a test fails for a preset that is missing here.
func examples() map[string]given {
	basic := func(user string) receiver.Auth { return receiver.Auth{User: user, Secret: secret("s3cret")} }
	token := receiver.Auth{Secret: secret("s3cret")}
	hook := func(url string) receiver.Auth { return receiver.Auth{Secret: secret(url)} }
	return map[string]given{
		"jira":    {receiver.Spec{Auth: basic("resetd@example.com"), Params: map[string]string{"transition_partially_successful": "31", "transition_successful": "41"}}, "SEC-123", nil},
		"jira-dc": {receiver.Spec{Auth: token, Params: map[string]string{"transition_partially_successful": "31"}}, "SEC-123", nil},
		"servicenow": {receiver.Spec{Auth: basic("resetd"), Params: map[string]string{"table": "sn_si_incident", "state_partially_successful": "18"}}, "SIR0012345",
			map[string]string{"find": `{"result":[{"sys_id":"46d44a40a9fe198101a2a6a1b2ce5f3a"}]}`}},
		"thehive":    {receiver.Spec{Auth: token, Params: map[string]string{"organisation": "SOC"}}, "~122884184", nil},
		"slack":      {receiver.Spec{Auth: hook("https://hooks.slack.com/services/T0/B0/x")}, "", nil},
		"slack-api":  {receiver.Spec{Auth: token, Params: map[string]string{"channel": "C0123456789"}}, "", nil},
		"pagerduty":  {receiver.Spec{Auth: token, Params: map[string]string{"from": "soc@example.com"}}, "PT4KHLK", nil},
		"zendesk":    {receiver.Spec{Auth: basic("resetd@example.com/token"), Params: map[string]string{"status_partially_successful": "open"}}, "35436", nil},
		"splunk-hec": {receiver.Spec{Auth: token, Params: map[string]string{"index": "security"}}, "", nil},
		"xsoar":      {receiver.Spec{Auth: token, Params: map[string]string{"key_id": "7"}}, "4711", nil},
		"xsoar-6":    {receiver.Spec{Auth: token}, "4711", nil},
		"teams":      {receiver.Spec{Auth: hook("https://x.example.com/workflows/1/triggers/manual/paths/invoke?sig=abc")}, "", nil},
	}
}

// mustNew makes the format of an example.
func mustNew(t testing.TB, name string, g given) *Format {
	t.Helper()
	g.spec.Format = name
	f, faults := New(g.spec)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", name, faults)
	}
	return f
}

// requests makes all requests of an event, answering questions as the example does.
func requests(t *testing.T, f *Format, e Event, answers map[string]string) []Request {
	t.Helper()
	talk, err := f.Talk(e)
	if err != nil {
		t.Fatal(err)
	}
	var out []Request
	for _, name := range talk.Left(nil) {
		r, err := talk.Request(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.step.question() {
			if fault := talk.Verdict(r, []byte(answers[name])); fault != "" {
				t.Fatalf("%s: %s", name, fault)
			}
		}
		out = append(out, r)
	}
	return out
}

// custom is a source's own template with one request.
func custom(r receiver.Request, change ...func(*receiver.Spec)) receiver.Spec {
	if r.Name == "" {
		r.Name = "note"
	}
	s := receiver.Spec{Format: receiver.Custom, Template: receiver.Template{Requests: []receiver.Request{r}}}
	for _, c := range change {
		c(&s)
	}
	return s
}
