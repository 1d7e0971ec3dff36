package entra

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// domainTTL is how long the kind of a domain is believed; it changes when an organisation moves its sign-in.
const domainTTL = 5 * time.Minute

// maxDomains bounds what is remembered; a tenant has 5,000 at most.
const maxDomains = 5000

// The kinds of a domain.
const (
	domainManaged   = "Managed"
	domainFederated = "Federated"
	domainUnknown   = "" // we may not read it
)

// domains remembers how sign-ins to each domain are authenticated.
type domains struct {
	mu   sync.Mutex
	seen map[string]domain
}

type domain struct {
	kind string
	at   time.Time
}

func (d *domains) get(name string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.seen[name]
	return one.kind, ok && time.Since(one.at) < domainTTL
}

func (d *domains) put(name, kind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil || len(d.seen) >= maxDomains {
		d.seen = map[string]domain{}
	}
	d.seen[name] = domain{kind, time.Now()}
}

// authentication tells who checks the passwords of a domain. Without the right to read it the answer is not known: Entra
// itself refuses a password for a federated user then.
func (t *tenant) authentication(ctx context.Context, name string) (string, *schemas.Failure) {
	name = strings.ToLower(name)
	if kind, ok := t.domains.get(name); ok {
		return kind, nil
	}
	var got struct {
		Kind string `json:"authenticationType"`
	}
	f := t.get(ctx, "reading the domain of the account", "/domains/"+segment(name), url.Values{"$select": {"id,authenticationType"}}, &got)
	switch {
	case f != nil && (f.Code == schemas.CodePermissionMissing || f.Code == schemas.CodeAccountNotFound):
		got.Kind = domainUnknown
	case f != nil:
		return "", f
	case strings.EqualFold(got.Kind, domainFederated):
		got.Kind = domainFederated
	case strings.EqualFold(got.Kind, domainManaged):
		got.Kind = domainManaged
	default: // a domain of which nothing is said may be either
		got.Kind = domainUnknown
	}
	t.domains.put(name, got.Kind)
	return got.Kind, nil
}
