package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// Deps is what the face needs. New refuses to start without any of them, except where a default is named.
type Deps struct {
	Tasks       Tasks
	History     History
	Callbacks   Callbacks
	Systems     Systems
	Permissions Permissions
	Accounts    Accounts
	Sources     *source.Set
	Tokens      *Tokens
	Validator   *schemas.Validator
	// Ready tells whether new work can be taken. Its error goes to the log, not to the caller: /readyz is open to all.
	Ready func(ctx context.Context) error
	// Metrics answers /metrics; Registerer takes the face's own metrics.
	Metrics    http.Handler
	Registerer prometheus.Registerer
	// MetricsOpen lets /metrics be read without a token; by default it takes a viewer's. Metrics tell the names of
	// systems and sources and how much is going on there, so set it only where the network keeps strangers away.
	MetricsOpen bool
	// PublicURL is under which address callers reach resetd, for example https://resetd.example.com; status_url begins
	// with it.
	PublicURL string
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is believed, for allow_from, the hold on addresses that
	// are refused, and log lines; by default none.
	TrustedProxies []string
	// Refusals is how many refused deliveries an address may send before it is held back; the zero value is DefaultRefusals.
	Refusals source.Rate
	Logger   zerolog.Logger
	Now      func() time.Time // default: time.Now
	NewID    func() string    // idempotency keys for operators who send none; default: UUID version 7
}

// complete names everything that is missing or wrong, and fills the defaults.
func (d *Deps) complete() error {
	var bad []error
	for _, need := range []struct {
		name    string
		missing bool
	}{
		{"Tasks", d.Tasks == nil},
		{"History", d.History == nil},
		{"Callbacks", d.Callbacks == nil},
		{"Systems", d.Systems == nil},
		{"Permissions", d.Permissions == nil},
		{"Accounts", d.Accounts == nil},
		{"Sources", d.Sources == nil},
		{"Tokens", d.Tokens == nil},
		{"Validator", d.Validator == nil},
		{"Ready", d.Ready == nil},
		{"Metrics", d.Metrics == nil},
		{"Registerer", d.Registerer == nil},
		{"PublicURL", d.PublicURL == ""},
	} {
		if need.missing {
			bad = append(bad, fmt.Errorf("handlers: %s is missing", need.name))
		}
	}
	if d.PublicURL != "" {
		if err := checkPublicURL(d.PublicURL); err != nil {
			bad = append(bad, err)
		}
	}
	if d.Refusals == (source.Rate{}) {
		d.Refusals = DefaultRefusals
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.NewID == nil {
		d.NewID = func() string { return uuid.Must(uuid.NewV7()).String() } // fails only if crypto/rand does, which ends the program
	}
	return errors.Join(bad...)
}

func checkPublicURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil, strings.ContainsAny(text, "?#"):
		// The text is not quoted: it may carry a password.
		return errors.New("handlers: PublicURL must look like https://resetd.example.com, without user, query or fragment")
	}
	return nil
}
