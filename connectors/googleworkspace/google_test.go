package googleworkspace_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// google is an imitation of the Directory API, of Cloud Identity's single sign-on assignments and of the token server, for
// one customer. It is stateful, and every request and answer is held against Google's own description.
type google struct {
	t       testing.TB
	known   [2]*discovery
	service serviceAccount

	mu        sync.Mutex
	people    map[string]*account
	next      int
	tokens    map[string]grant
	passwords []string // every password that was sent
	calls     []string // every method called

	roles       map[string]role // by id
	assignments []roleAssignment
	sso         []map[string]any
	members     map[string][]string // group to user ids

	delegated   []string                              // the scopes of the domain-wide delegation
	lag         time.Duration                         // how long a change is not seen by readers
	weak        int                                   // how many more passwords are held to be weak
	ignoresFlag bool                                  // as where another identity provider signs in
	hidesRoles  bool                                  // nobody but a super administrator may read roles
	refuse      func(*method, *http.Request) *problem // nil for none
}

// account is a user with what the API never shows.
type account struct {
	id, primary, unit       string
	aliases, domainAliases  []string
	super, delegated, guest bool
	suspended, archived     bool
	mustChange              bool
	custom                  map[string]map[string]string
	lastLogin               time.Time
	password                string
	sessions                int
	clients                 []string
	asps                    []int
	backupCodes             bool
	seen                    map[string]any // what readers see until then
	seenUntil               time.Time
}

type role struct {
	name       string
	super      bool
	privileges []string
}

type roleAssignment struct{ role, to string }

// problem is an answer that is no success.
type problem struct {
	status  int
	reason  string
	message string
	wait    string // Retry-After
	body    string // in place of Google's usual form
}

var (
	notFound  = &problem{status: 404, reason: "notFound", message: "Resource Not Found: userKey"}
	forbidden = &problem{status: 403, reason: "forbidden", message: "Not Authorized to access this resource/api"}
)

// newGoogle makes a customer with resetd's account, which holds exactly the privileges that the README asks for.
func newGoogle(t testing.TB) *google {
	g := &google{t: t, known: descriptions(t), service: keys(), people: map[string]*account{}, tokens: map[string]grant{},
		roles: map[string]role{}, members: map[string][]string{}, next: 100000000000000000, delegated: allScopes}
	g.roles["11"] = role{name: "resetd", privileges: []string{"USERS_RETRIEVE", "USERS_RESET_PASSWORD", "USERS_FORCE_PASSWORD_CHANGE",
		"USER_SECURITY_ALL", "ORGANIZATION_UNITS_RETRIEVE", "INBOUND_SSO_SETTINGS", "GROUPS_RETRIEVE", customPrivilege}}
	g.roles["12"] = role{name: "viewer", privileges: []string{"USERS_RETRIEVE", "ORGANIZATION_UNITS_RETRIEVE", "INBOUND_SSO_SETTINGS"}}
	g.roles["13"] = role{name: "_SEED_ADMIN_ROLE", super: true, privileges: []string{"SUPER_ADMIN", "ADMIN_APIS_ALL"}}
	for name, id := range map[string]string{"resetd": "11", "viewer": "12", "root": "13"} {
		a := g.add(name + "@example.com")
		a.super, a.delegated = id == "13", id != "13"
		g.assignments = append(g.assignments, roleAssignment{id, a.id})
	}
	return g
}

// customPrivilege is what Google calls the right to write custom attributes.
const customPrivilege = "USERS_UPDATE_CUSTOM_ATTRIBUTES_USER_PRIVILEGE_GROUP"

// add makes an ordinary user.
func (g *google) add(address string) *account {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next++
	a := &account{id: strconv.Itoa(g.next), primary: address, unit: "/", password: "Old-secret-" + strconv.Itoa(g.next), sessions: 2,
		clients: []string{"77185425430.apps.googleusercontent.com", "anonymous"}, asps: []int{0, 1}, backupCodes: true, custom: map[string]map[string]string{}}
	g.people[a.id] = a
	return a
}

// change alters an account as another administrator or the user would.
func (g *google) change(id string, do func(*account)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	do(g.people[id])
}

// look gives a copy of an account.
func (g *google) look(id string) account {
	g.mu.Lock()
	defer g.mu.Unlock()
	return *g.people[id]
}

// sent gives how often a method was called.
func (g *google) sent(id string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range g.calls {
		if one == id {
			n++
		}
	}
	return n
}

// shown is the account as the API shows it. The ETag is made of what is shown, so a password alone does not move it, and a
// sign-in does: the worse for us of what Google may do.
func (a *account) shown() map[string]any {
	out := map[string]any{"kind": "admin#directory#user", "id": a.id, "primaryEmail": a.primary, "orgUnitPath": a.unit, "customerId": "C01abc23d",
		"isAdmin": a.super, "isDelegatedAdmin": a.delegated, "suspended": a.suspended, "archived": a.archived, "changePasswordAtNextLogin": a.mustChange,
		"lastLoginTime": a.lastLogin.UTC().Format(time.RFC3339), "isGuestUser": a.guest}
	for name, list := range map[string][]string{"aliases": a.aliases, "nonEditableAliases": a.domainAliases} {
		if len(list) > 0 {
			out[name] = list
		}
	}
	if len(a.custom) > 0 {
		out["customSchemas"] = a.custom
	}
	text, _ := json.Marshal(out)
	sum := sha1.Sum(text)
	out["etag"] = `"sxH3n22L0-77khHtQ7tiK6I21Yo/` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"`
	return out
}

// find gives the account of a key: an id, a primary address or an alias.
func (g *google) find(key string) *account {
	if a := g.people[key]; a != nil {
		return a
	}
	for _, a := range g.people {
		for _, one := range append([]string{a.primary}, append(slices.Clone(a.aliases), a.domainAliases...)...) {
			if strings.EqualFold(one, key) {
				return a
			}
		}
	}
	return nil
}

// fingerprint sums up all accounts.
func (g *google) fingerprint() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(g.people)) {
		a := g.people[id]
		fmt.Fprintln(&b, a.shown(), a.password, a.sessions, a.clients, a.asps, a.backupCodes)
	}
	return b.String()
}

// ServeHTTP checks the request, answers it, and checks the answer.
func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/token" {
		g.serveToken(w, body)
		return
	}
	d := g.known[0]
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		d = g.known[1]
	}
	m := &method{ID: "unchecked"}
	if d != nil {
		if m = d.find(r); m == nil {
			g.t.Errorf("%s %s: Google describes no such method", r.Method, r.URL.Path)
			w.WriteHeader(599)
			return
		}
		if err := d.checkRequest(m, r, body); err != nil {
			g.t.Errorf("%s %s is not what Google describes: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(599)
			return
		}
	}
	answer := httptest.NewRecorder()
	g.answer(answer, m, r, body)
	if d != nil {
		if err := d.checkAnswer(m, answer.Code, answer.Body.Bytes()); err != nil {
			g.t.Errorf("%s %s: the imitation's answer %d is not what Google describes: %v", r.Method, r.URL.Path, answer.Code, err)
		}
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = io.Copy(w, bytes.NewReader(answer.Body.Bytes()))
}

// answer carries a request out, if its token and its sender's privileges allow it.
func (g *google) answer(w http.ResponseWriter, m *method, r *http.Request, body []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, m.ID)
	actor, p := g.admit(m, r)
	if p == nil && g.refuse != nil {
		p = g.refuse(m, r)
	}
	var out any
	if p == nil {
		out, p = g.route(actor, r, body)
	}
	switch {
	case p != nil:
		p.write(w)
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		text, _ := json.Marshal(out)
		if mask := r.URL.Query().Get("fields"); mask != "" {
			var v any
			_ = json.Unmarshal(text, &v)
			if f, err := parseFields(mask); err == nil {
				text, _ = json.Marshal(f.keep(v))
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write(text)
	}
}

// write answers in the form that Google documents for errors.
func (p *problem) write(w http.ResponseWriter) {
	if p.wait != "" {
		w.Header().Set("Retry-After", p.wait)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(p.status)
	if p.body != "" {
		_, _ = io.WriteString(w, p.body)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": p.status, "message": p.message,
		"errors": []map[string]string{{"domain": "global", "reason": p.reason, "message": p.message}}}})
}
