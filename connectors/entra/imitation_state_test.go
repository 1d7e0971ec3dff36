package entra_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/resetd/resetd/connectors/conformance"
)

// The applications of the imitation and what they sign in with.
const (
	tenantID   = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	appFull    = "10000000-0000-4000-8000-000000000001"
	appReader  = "10000000-0000-4000-8000-000000000002"
	secretText = "Hq~8Q.test-Client.Secret~of-the-application"
)

// Template ids of roles.
const (
	rolePasswordAdmin   = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	roleGlobalAdmin     = "62e90394-69f5-4237-9190-012177145e10"
	rolePrivilegedAuth  = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	roleDirectoryReader = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	roleSync            = "d29b2b05-8046-44ba-8758-1e26182fcf32"
)

// leastPrivilege is what the README tells to grant.
var leastPrivilege = []string{"User.Read.All", "User-PasswordProfile.ReadWrite.All", "User.RevokeSessions.All",
	"RoleManagement.Read.Directory", "GroupMember.Read.All", "Domain.Read.All"}

// world is what a tenant stores: accounts, domains, applications. Several servers may show the same world.
type world struct {
	mu      sync.Mutex
	people  map[string]*person
	order   []string
	domains map[string]string
	apps    map[string]*app
	changes int // all writes, ever

	passwords []string // every one that was sent as a new one
	rejects   int      // how many more passwords the policy dislikes

	noPIM bool // no licence for it

	getLag, listLag int // how many readings after a change still show the state before
}

// app is an application with its service principal.
type app struct {
	secret      string
	oid         string
	permissions []string
	roles       map[string]string // template id: scope
	secretEnd   time.Time
	opaque      bool // tokens that say nothing
}

// record is what may be read of a person.
type record struct {
	upn, mail           string
	proxies             []string
	sam, domain, sid    string
	kind                string
	enabled             bool
	synced              *bool
	resource            bool
	restricted          bool
	changed, sessions   time.Time
	mustChange, mustMFA bool
}

type person struct {
	record
	id       string
	password string
	roles    []role
	scoped   []role // in an administrative unit, which no membership shows
	eligible []role // by PIM, and not active now
	groups   []group

	before              record // before the last change
	staleGets, staleIdx int
}

type (
	role  struct{ template, name string }
	group struct {
		name       string
		assignable bool
	}
)

// newWorld makes a tenant with two applications: one with the least privilege, and one that may only read.
func newWorld() *world {
	return &world{people: map[string]*person{}, domains: map[string]string{"example.com": "Managed", "fed.example.com": "Federated", "contoso.onmicrosoft.com": "Managed"},
		apps: map[string]*app{
			appFull:   {secret: secretText, oid: "20000000-0000-4000-8000-000000000001", permissions: slices.Clone(leastPrivilege)},
			appReader: {secret: secretText, oid: "20000000-0000-4000-8000-000000000002", permissions: []string{"User.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "Domain.Read.All"}},
		}}
}

// add makes a person; change may be nil.
func (w *world) add(upn string, change func(*person)) *person {
	w.mu.Lock()
	defer w.mu.Unlock()
	then := time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)
	p := &person{id: uuid.NewString(), password: "Old-password-of-" + upn,
		record: record{upn: upn, kind: "Member", enabled: true, changed: then, sessions: then}}
	if change != nil {
		change(p)
	}
	w.people[p.id] = p
	w.order = append(w.order, p.id)
	return p
}

// change writes to a person and keeps what was before for readings that lag. The caller holds mu.
func (w *world) change(p *person, do func()) {
	p.before, p.staleGets, p.staleIdx = p.record, w.getLag, w.listLag
	w.changes++
	do()
}

// shown is what a reading of one account gives; indexed is what filters look at. The caller holds mu.
func (p *person) shown() record {
	if p.staleGets > 0 {
		p.staleGets--
		return p.before
	}
	return p.record
}

func (p *person) indexed() record {
	if p.staleIdx > 0 {
		p.staleIdx--
		return p.before
	}
	return p.record
}

// find gives a person by object id or user principal name. The caller holds mu.
func (w *world) find(key string) *person {
	if p := w.people[strings.ToLower(key)]; p != nil {
		return p
	}
	for _, p := range w.people {
		if strings.EqualFold(p.upn, key) {
			return p
		}
	}
	return nil
}

// login is what becomes of an attempt to sign in.
func (w *world) login(id, password string) conformance.Login {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.people[id]
	switch {
	case p == nil || !p.enabled || p.password != password:
		return conformance.LoginRefused
	case p.mustChange || p.mustMFA:
		return conformance.LoginMustChange
	}
	return conformance.LoginAccepted
}

// fingerprint changes with every change.
func (w *world) fingerprint() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	fmt.Fprint(&b, w.changes)
	for _, id := range w.order {
		p := w.people[id]
		fmt.Fprintf(&b, "|%s %+v %s", p.id, p.record, p.password)
	}
	return b.String()
}

// sent gives every password that was sent so far.
func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.passwords)
}

// protects tells whether only a Privileged Authentication Administrator may touch a person.
func (p *person) protects() bool {
	return p.restricted || slices.ContainsFunc(p.roles, func(r role) bool { return r.template != roleDirectoryReader }) ||
		slices.ContainsFunc(p.groups, func(g group) bool { return g.assignable })
}

// may tells whether an application may do something by a permission or by a role for the whole tenant.
func (a *app) may(permissions []string, roles ...string) bool {
	for _, p := range permissions {
		if slices.Contains(a.permissions, p) {
			return true
		}
	}
	for _, r := range roles {
		if a.roles[r] == "/" {
			return true
		}
	}
	return false
}

func yes() *bool { b := true; return &b }

// in runs something under the lock of the world.
func (w *world) in(t testing.TB, do func()) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}
