package callback

import (
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

func token(s string) receiver.Auth { return receiver.Auth{Secret: schemas.NewSecret(s)} }

func basic(user, s string) receiver.Auth {
	return receiver.Auth{User: user, Secret: schemas.NewSecret(s)}
}

func hook() receiver.Auth { return receiver.Auth{Scheme: receiver.SchemeURL} }

// seen is one way that a receiver is met: what is configured, what there is, and how the attempt must end.
type seen struct {
	auth      receiver.Auth
	params    map[string]string
	tickets   map[string]string
	reference string
	class     string // empty: delivered
	status    int
	hint      string // in the detail
	ticket    string // where the note is to be found when delivered
	state     string // the ticket's state afterwards
	path      string // below the server, unless it is that of the vendor
}

func TestReceiversTakeWhatTheirFormatsSay(t *testing.T) {
	jiraLogin := "Basic cmVzZXRkQGV4YW1wbGUuY29tOnMzY3JldA=="
	mail := basic("resetd@example.com", "s3cret")
	for name, r := range map[string]struct {
		format string
		serve  func(*tool, *http.Request, string, map[string]any) (int, string)
		path   string
		ways   map[string]seen
	}{
		"Jira Cloud": {"jira", jira("3", jiraLogin), "", map[string]seen{
			"a comment":                        {auth: mail, tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", ticket: "SEC-123", state: "open", status: 201},
			"a comment and a transition":       {auth: mail, params: map[string]string{"transition_successful": "31"}, tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", ticket: "SEC-123", state: "contained", status: 204},
			"a transition of another status":   {auth: mail, params: map[string]string{"transition_unsuccessful": "31"}, tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", ticket: "SEC-123", state: "open", status: 201},
			"a transition that is not there":   {auth: mail, params: map[string]string{"transition_successful": "99"}, tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", class: ClassStatus, status: 400, hint: "the request transition: "},
			"a wrong password":                 {auth: basic("resetd@example.com", "other"), tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", class: ClassStatus, status: 401, hint: "API token"},
			"an issue that is gone":            {auth: mail, tickets: map[string]string{}, reference: "SEC-123", class: ClassStatus, status: 404, hint: "no such issue"},
			"a reference of another kind":      {auth: mail, tickets: map[string]string{}, reference: "INC0012345", class: ClassNoReference, hint: `"INC0012345" is not the key of an issue, such as SEC-123`},
			"no reference":                     {auth: mail, tickets: map[string]string{}, class: ClassNoReference, hint: "the task has no reference"},
			"a reference that leads out of it": {auth: mail, tickets: map[string]string{}, reference: "SEC-1/../../admin", class: ClassNoReference},
		}},
		"Jira Data Center": {"jira-dc", jira("2", "Bearer s3cret"), "", map[string]seen{
			"a comment and a transition": {auth: token("s3cret"), params: map[string]string{"transition_successful": "31"}, tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", ticket: "SEC-123", state: "contained", status: 204},
			"a wrong token":              {auth: token("other"), tickets: map[string]string{"SEC-123": "open"}, reference: "SEC-123", class: ClassStatus, status: 401, hint: "token"},
		}},
		"ServiceNow": {"servicenow", serviceNow, "", map[string]seen{
			"a work note":                {auth: basic("resetd", "s3cret"), tickets: map[string]string{"INC0012345": "2"}, reference: "INC0012345", ticket: "INC0012345", state: "2", status: 200},
			"a work note and a state":    {auth: basic("resetd", "s3cret"), params: map[string]string{"state_successful": "6", "close_code_successful": "Solved", "close_notes_successful": "By resetd"}, tickets: map[string]string{"INC0012345": "2"}, reference: "INC0012345", ticket: "INC0012345", state: "6", status: 200},
			"a state that asks for more": {auth: basic("resetd", "s3cret"), params: map[string]string{"state_successful": "6"}, tickets: map[string]string{"INC0012345": "2"}, reference: "INC0012345", class: ClassStatus, status: 403, hint: "data policy"},
			"a record that is not there": {auth: basic("resetd", "s3cret"), tickets: map[string]string{}, reference: "INC0099999", class: ClassAnswer, status: 200, hint: "the request find: "},
			"a wrong password":           {auth: basic("resetd", "other"), tickets: map[string]string{}, reference: "INC0012345", class: ClassStatus, status: 401, hint: "log-in"},
		}},
		"TheHive": {"thehive", theHive, "", map[string]seen{
			"a comment":            {auth: token("s3cret"), params: map[string]string{"organisation": "SOC"}, tickets: map[string]string{"~1": "New"}, reference: "~1", ticket: "~1", state: "New", status: 201},
			"another organisation": {auth: token("s3cret"), params: map[string]string{"organisation": "NOC"}, tickets: map[string]string{"~1": "New"}, reference: "~1", class: ClassStatus, status: 401, hint: "API key"},
			"an unknown alert":     {auth: token("s3cret"), params: map[string]string{"organisation": "SOC"}, tickets: map[string]string{}, reference: "~2", class: ClassStatus, status: 404, hint: "no such alert"},
		}},
		"Slack by a webhook": {"slack", slackHook, "/services/T0/B0/s3cret", map[string]seen{
			"a message":           {auth: hook(), tickets: map[string]string{"channel": "open"}, ticket: "channel", state: "open", status: 200},
			"an archived channel": {auth: hook(), tickets: map[string]string{"channel": "archived"}, class: ClassStatus, status: 410, hint: "channel_is_archived: the webhook's channel was archived"},
			"another webhook":     {auth: hook(), path: "/services/T0/B0/other", tickets: map[string]string{}, class: ClassStatus, status: 404, hint: "no_service: "},
		}},
		"Slack by its API": {"slack-api", slackAPI, "/api", map[string]seen{
			"a message":              {auth: token("s3cret"), params: map[string]string{"channel": "C0123456789"}, tickets: map[string]string{"C0123456789": "open"}, ticket: "C0123456789", state: "open", status: 200},
			"a wrong token":          {auth: token("other"), params: map[string]string{"channel": "C0123456789"}, tickets: map[string]string{}, class: ClassAnswer, status: 200, hint: "invalid_auth: Slack does not accept the token"},
			"a channel of strangers": {auth: token("s3cret"), params: map[string]string{"channel": "C0123456789"}, tickets: map[string]string{"C0123456789": "stranger"}, class: ClassAnswer, status: 200, hint: "not_in_channel: invite"},
			"a wrong base":           {auth: token("s3cret"), path: "/apps", params: map[string]string{"channel": "C0123456789"}, tickets: map[string]string{}, class: ClassAnswer, status: 200, hint: "says that it was not done"},
		}},
		"PagerDuty": {"pagerduty", pagerDuty, "", map[string]seen{
			"a note":              {auth: token("s3cret"), params: map[string]string{"from": "soc@example.com"}, tickets: map[string]string{"PT4KHLK": "triggered"}, reference: "PT4KHLK", ticket: "PT4KHLK", state: "triggered", status: 200},
			"from a stranger":     {auth: token("s3cret"), params: map[string]string{"from": "x@example.com"}, tickets: map[string]string{"PT4KHLK": "triggered"}, reference: "PT4KHLK", class: ClassStatus, status: 400, hint: "from must be"},
			"a wrong key":         {auth: token("other"), params: map[string]string{"from": "soc@example.com"}, tickets: map[string]string{}, reference: "PT4KHLK", class: ClassStatus, status: 401, hint: "API key"},
			"an unknown incident": {auth: token("s3cret"), params: map[string]string{"from": "soc@example.com"}, tickets: map[string]string{}, reference: "PT4KHLK", class: ClassStatus, status: 404, hint: "no such incident"},
		}},
		"Zendesk": {"zendesk", zendesk, "", map[string]seen{
			"an internal comment": {auth: basic("resetd@example.com/token", "s3cret"), tickets: map[string]string{"35436": "open"}, reference: "35436", ticket: "35436", state: "open", status: 200},
			"and a status":        {auth: basic("resetd@example.com/token", "s3cret"), params: map[string]string{"status_successful": "solved"}, tickets: map[string]string{"35436": "open"}, reference: "35436", ticket: "35436", state: "solved", status: 200},
			"a closed ticket":     {auth: basic("resetd@example.com/token", "s3cret"), tickets: map[string]string{"35436": "closed"}, reference: "35436", class: ClassStatus, status: 422, hint: "closed ticket"},
			"without /token":      {auth: basic("resetd@example.com", "s3cret"), tickets: map[string]string{}, reference: "35436", class: ClassStatus, status: 401, hint: "/token"},
		}},
		"Splunk": {"splunk-hec", hec, "", map[string]seen{
			"an event":                  {auth: token("s3cret"), params: map[string]string{"index": "security"}, tickets: map[string]string{}, ticket: "index", status: 200},
			"with acknowledgment":       {auth: token("s3cret"), params: map[string]string{"channel": "FE0ECFAD-13D5-401B-847D-77833BD77131"}, tickets: map[string]string{"ack": "on"}, ticket: "index", status: 200},
			"without its channel":       {auth: token("s3cret"), tickets: map[string]string{"ack": "on"}, class: ClassStatus, status: 400, hint: "10: the token uses indexer acknowledgment"},
			"an index that it may not":  {auth: token("s3cret"), params: map[string]string{"index": "main"}, tickets: map[string]string{}, class: ClassStatus, status: 400, hint: "7: the token may not write"},
			"a token that is not known": {auth: token("other"), tickets: map[string]string{}, class: ClassStatus, status: 403, hint: "4: Splunk does not know the token"},
			"the wrong port":            {auth: token("s3cret"), path: "/en-US", tickets: map[string]string{}, class: ClassStatus, status: 404, hint: "8088"},
		}},
		"XSOAR 8": {"xsoar", xsoar("/xsoar/public/v1", "7"), "", map[string]seen{
			"an entry":               {auth: token("s3cret"), params: map[string]string{"key_id": "7"}, tickets: map[string]string{"4711": "active"}, reference: "4711", ticket: "4711", state: "active", status: 200},
			"another key":            {auth: token("s3cret"), params: map[string]string{"key_id": "8"}, tickets: map[string]string{"4711": "active"}, reference: "4711", class: ClassStatus, status: 401, hint: "key_id"},
			"an incident not opened": {auth: token("s3cret"), params: map[string]string{"key_id": "7"}, tickets: map[string]string{}, reference: "4711", class: ClassStatus, status: 400, hint: "not been opened"},
		}},
		"XSOAR 6": {"xsoar-6", xsoar("", ""), "", map[string]seen{
			"an entry":           {auth: token("s3cret"), tickets: map[string]string{"4711": "active"}, reference: "4711", ticket: "4711", state: "active", status: 200},
			"of a tenant's path": {auth: token("s3cret"), path: "/acc_T1", tickets: map[string]string{"4711": "active"}, reference: "4711", class: ClassStatus, status: 400},
		}},
		"Teams": {"teams", workflow, "/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cret", map[string]seen{
			"a card":                  {auth: hook(), tickets: map[string]string{}, ticket: "channel", status: 202},
			"a URL without signature": {auth: hook(), path: "/workflows/1/triggers/manual/paths/invoke", tickets: map[string]string{}, class: ClassStatus, status: 403, hint: "not complete"},
		}},
	} {
		for what, w := range r.ways {
			t.Run(name+"/"+what, func(t *testing.T) {
				path := r.path
				if w.path != "" {
					path = w.path
				}
				it, p, c := visit(t, w.tickets, r.serve, path, receiver.Spec{Format: r.format, Auth: w.auth, Params: w.params})
				task := told
				task.Request.Reference = w.reference
				a, _ := p.Post(t.Context(), c, task)
				if a.Error != w.class || a.HTTPStatus != w.status || !strings.Contains(a.Detail, w.hint) || strings.Contains(a.Detail, "s3cret") {
					t.Fatalf("got %+v; want %q, %d, %q", a, w.class, w.status, w.hint)
				}
				if w.class != "" {
					t.Log(a.Detail)
					return
				}
				notes := it.written(w.ticket)
				if len(notes) != 1 || !strings.Contains(notes[0], "password reset of jdoe") && !strings.Contains(notes[0], "jdoe&#64;example.com") {
					t.Errorf("the receiver has %q", notes)
				}
				if got := it.stateOf(w.ticket); got != w.state {
					t.Errorf("its state is %q, want %q", got, w.state)
				}
				if len(it.written("commands")) > 0 {
					t.Errorf("it was taken for a command: %q", it.written("commands"))
				}
			})
		}
	}
}

// The comment is there and the transition is not: the next attempt makes the transition alone, also after failures of
// other kinds in between.
func TestWhatWasTakenIsNotSentAgain(t *testing.T) {
	it, p, c := visit(t, map[string]string{"SEC-123": "triage"}, jira("3", "Basic cmVzZXRkQGV4YW1wbGUuY29tOnMzY3JldA=="), "",
		receiver.Spec{Format: "jira", Auth: basic("resetd@example.com", "s3cret"), Params: map[string]string{"transition_successful": "31"}})
	attempt := func() schemas.Attempt {
		a, _ := p.Post(t.Context(), c, told)
		c.Log = append(c.Log, a)
		return a
	}
	if a := attempt(); a.Error != ClassStatus || a.HTTPStatus != 400 || strings.Join(a.Done, " ") != "comment" {
		t.Fatalf("got %+v", a)
	}
	url := c.URL
	c.URL = "https://elsewhere.example.com"
	if a := attempt(); a.Error != ClassNotAllowed || strings.Join(a.Done, " ") != "comment" {
		t.Fatalf("what was delivered is forgotten: %+v", a)
	}
	c.URL = url
	it.set("SEC-123", "open")
	wantDelivered(t, attempt())
	if notes := it.written("SEC-123"); len(notes) != 1 || it.stateOf("SEC-123") != "contained" {
		t.Errorf("%d comments, %s", len(notes), it.stateOf("SEC-123"))
	}
	// A person who has a delivered callback sent again wants all of it.
	it.set("SEC-123", "open")
	wantDelivered(t, attempt())
	if notes := it.written("SEC-123"); len(notes) != 2 {
		t.Errorf("%d comments after it was sent again", len(notes))
	}
}

// Where the answer is lost nobody knows whether the note was written. It is written again, and both show the same id.
func TestANoteWhoseAnswerWasLostShowsItsID(t *testing.T) {
	lose := true
	it := &tool{notes: map[string][]string{}, state: map[string]string{"PT4KHLK": "triggered"}, serve: pagerDuty}
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		if lose {
			lose = false
			it.ServeHTTP(discard{}, req)
			panic(http.ErrAbortHandler)
		}
		it.ServeHTTP(w, req)
	})
	o := lab(r.ca)
	o.Sources[source] = Source{URL: r.URL, Format: receiver.Spec{Format: "pagerduty", Auth: token("s3cret"), Params: map[string]string{"from": "soc@example.com"}}}
	p := mustNew(t, o)
	task := told
	task.Request.Reference = "PT4KHLK"
	a, _ := p.Post(t.Context(), owed(r.URL), task)
	wantClass(t, a, ClassConnect)
	a, _ = p.Post(t.Context(), owed(r.URL), task)
	wantDelivered(t, a)
	notes := it.written("PT4KHLK")
	if len(notes) != 2 || !strings.Contains(notes[0], messageID) || notes[0] != notes[1] {
		t.Errorf("got %q", notes)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// A log-in page before the tool, or an instance that sleeps, answers 200 to everything. That is no note.
func TestALogInPageIsNoSuccess(t *testing.T) {
	page := func(*tool, *http.Request, string, map[string]any) (int, string) {
		return http.StatusOK, "<!doctype html><title>Please log in</title>"
	}
	for format, c := range map[string]struct {
		spec      receiver.Spec
		reference string
	}{
		"jira":       {receiver.Spec{Auth: basic("u", "s3cret")}, "SEC-123"},
		"jira-dc":    {receiver.Spec{Auth: token("s3cret")}, "SEC-123"},
		"servicenow": {receiver.Spec{Auth: basic("u", "s3cret")}, "INC0012345"},
		"thehive":    {receiver.Spec{Auth: token("s3cret")}, "~1"},
		"slack-api":  {receiver.Spec{Auth: token("s3cret"), Params: map[string]string{"channel": "C0123456789"}}, ""},
		"pagerduty":  {receiver.Spec{Auth: token("s3cret"), Params: map[string]string{"from": "a@b.example"}}, "PT4KHLK"},
		"zendesk":    {receiver.Spec{Auth: basic("u", "s3cret")}, "35436"},
		"splunk-hec": {receiver.Spec{Auth: token("s3cret")}, ""},
	} {
		c.spec.Format = format
		_, p, owes := visit(t, nil, page, "", c.spec)
		task := told
		task.Request.Reference = c.reference
		a, _ := p.Post(t.Context(), owes, task)
		if a.Error != ClassAnswer || !strings.Contains(a.Detail, "log-in page") {
			t.Errorf("%s: %+v", format, a)
		}
	}
}
