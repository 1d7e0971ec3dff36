package okta_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/resetd/resetd/connectors/internal/vendorapi"
)

// imitation is an Okta org as far as resetd uses it. Every exchange that Okta's own description of its Management API covers
// is held against it.
type imitation struct {
	t       *testing.T
	url     string
	handler http.Handler

	mu        sync.Mutex
	users     map[string]*person
	index     []person // what a search looks at: accounts as they were when they were made
	temps     []string // the temporary passwords, made beforehand so that tests can look for them
	used      int
	mails     []string // the links that were mailed
	calls     []string // "METHOD path?query" of every call of the API
	revokes   []string // the queries of the revocations
	roles     []string // of whoever calls, "CUSTOM" for permissions
	allowed   map[string]bool
	refuse    map[string]string // by the path's last element: the error code to answer with
	app       fakeApp
	left      int                   // of the rate limit; 600 when zero
	elsewhere map[string]*imitation // accounts that a fault has in another imitation
	linkShown bool                  // the link is in the answer although it was mailed
}

// person is an account of the imitation.
type person struct {
	ID, Login, Email         string
	Status, Provider, Server string
	Changed, StatusChanged   time.Time
	Password                 string
	Roles                    []string
	Transition               string
	Extra                    map[string]string
	Sessions                 int
}

const (
	apiToken = "00Tr4nsp4r3ntSSWS-t0ken_of_the_imitation"
	ownerID  = "00uowner0000000000h7"
)

// everything is the permissions of the custom role that the README makes.
var everything = []string{"okta.users.read", "okta.users.credentials.expirePassword", "okta.users.credentials.resetPassword", "okta.users.lifecycle.clearSessions", "okta.iam.read"}

// newImitation starts one.
func newImitation(t *testing.T) *imitation {
	t.Helper()
	o := &imitation{t: t, users: map[string]*person{}, allowed: map[string]bool{}, refuse: map[string]string{}, elsewhere: map[string]*imitation{}, roles: []string{"CUSTOM"}}
	for _, p := range everything {
		o.allowed[p] = true
	}
	for range 700 {
		o.temps = append(o.temps, "Tmp-"+rand.Text()[:8])
	}
	described.Lock()
	if described.doc == nil {
		described.doc = vendorapi.Load(t, "okta-management-slice.yaml")
	}
	o.handler = o.signedIn(vendorapi.Check(t, described.doc, "/", undescribed, o.api()))
	described.Unlock()
	o.url = o.behind(t, nil)
	o.app = newApp(t)
	o.add(person{ID: ownerID, Login: "resetd@example.com", Email: "resetd@example.com"})
	return o
}

// described is Okta's description, which takes a while to read. Check writes its base into it, so one at a time.
var described struct {
	sync.Mutex
	doc *openapi3.T
}

// behind gives an address where the imitation can be reached through something; nil is nothing.
func (o *imitation) behind(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h := o.handler
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// undescribed are the calls that are not in the slice of the description.
func undescribed(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/oauth2/") || strings.HasPrefix(r.URL.Path, "/api/v1/iam/")
}

// add makes an account: active, with a password that Okta checks, unless it says otherwise.
func (o *imitation) add(p person) person {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.users)
	if p.ID == "" {
		p.ID = fmt.Sprintf("00u%017d", n)
	}
	if p.Login == "" {
		p.Login = fmt.Sprintf("person%d@example.com", n)
	}
	if p.Email == "" {
		p.Email = fmt.Sprintf("mail%d@example.com", n)
	}
	if p.Status == "" {
		p.Status = "ACTIVE"
	}
	if p.Provider == "" {
		p.Provider, p.Server = "OKTA", "OKTA"
	}
	if p.Password == "" {
		p.Password = "First-" + rand.Text()
	}
	p.Changed, p.StatusChanged = time.Now().Add(-48*time.Hour).Truncate(time.Second), time.Now().Add(-48*time.Hour).Truncate(time.Second)
	p.Sessions = 1
	kept := p
	o.users[p.ID] = &kept
	o.index = append(o.index, p)
	return p
}

// change changes an account behind resetd's back, and behind the search's.
func (o *imitation) change(id string, how func(*person)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	how(o.users[id])
}

// now gives an account as it is.
func (o *imitation) now(id string) person {
	o.mu.Lock()
	defer o.mu.Unlock()
	return *o.users[id]
}

// fingerprint sums up what is stored of accounts.
func (o *imitation) fingerprint() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(o.users)) {
		fmt.Fprintf(&b, "%+v\n", *o.users[id])
	}
	fmt.Fprint(&b, o.mails, o.revokes)
	return b.String()
}

// sent gives the calls so far that contain a text.
func (o *imitation) sent(part string) (out []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.calls {
		if strings.Contains(c, part) {
			out = append(out, c)
		}
	}
	return out
}

const stamp = "2006-01-02T15:04:05.000Z"

// json gives an account as Okta shows it.
func (p person) json() map[string]any {
	profile := map[string]any{"login": p.Login, "email": p.Email, "firstName": "Some", "lastName": "One", "mobilePhone": nil}
	for name, value := range p.Extra {
		profile[name] = value
	}
	out := map[string]any{
		"id": p.ID, "status": p.Status, "created": "2024-01-01T00:00:00.000Z", "activated": nil, "lastLogin": nil,
		"statusChanged": p.StatusChanged.UTC().Format(stamp), "lastUpdated": time.Now().UTC().Format(stamp), "passwordChanged": p.Changed.UTC().Format(stamp),
		"profile": profile, "credentials": map[string]any{"password": map[string]any{}, "provider": map[string]any{"type": p.Provider, "name": p.Server}},
		"type": map[string]any{"id": "otyfnjfba4ye7pgjB0g4"}, "_links": map[string]any{"self": map[string]any{"href": "https://example.okta.com/api/v1/users/" + p.ID}},
	}
	if p.Transition != "" {
		out["transitioningToStatus"] = p.Transition
	}
	return out
}

// write answers with JSON and the headers that Okta sends with every answer.
func (o *imitation) write(w http.ResponseWriter, status int, body any) {
	left := 599
	if o.left != 0 {
		left = max(o.left, 0)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Rate-Limit-Limit", "600")
	w.Header().Set("X-Rate-Limit-Remaining", fmt.Sprint(left))
	if w.Header().Get("X-Rate-Limit-Reset") == "" {
		w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(time.Now().Add(20*time.Second).Unix()))
	}
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// fail answers with one of Okta's errors.
func (o *imitation) fail(w http.ResponseWriter, code string) {
	w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(time.Now().Add(7*time.Second).Unix()))
	o.write(w, errorStatus[code], errorJSON(code))
}

// errorStatus is the status that goes with each code.
var errorStatus = map[string]int{
	"E0000001": 400, "E0000004": 401, "E0000005": 403, "E0000006": 403, "E0000007": 404, "E0000009": 500, "E0000010": 503, "E0000011": 401, "E0000014": 403,
	"E0000015": 403, "E0000017": 403, "E0000023": 403, "E0000031": 400, "E0000034": 403, "E0000035": 403, "E0000038": 403, "E0000047": 429, "E0000080": 403,
}

func errorJSON(code string) map[string]any {
	return map[string]any{"errorCode": code, "errorLink": code, "errorId": "oae1234567890abcdefgh", "errorCauses": []any{},
		"errorSummary": "what Okta says to " + code}
}
