package callback

import (
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas/receiver"
	"github.com/resetd/resetd/schemas/signature"
)

// DefaultTimeout bounds one attempt from the first packet to the status line. Standard Webhooks advises 15 to 30 s.
const DefaultTimeout = 15 * time.Second

// Source says where the callbacks of one source may go, in which format, and how they are signed.
type Source struct {
	// Keys sign, all of them at once: while keys are exchanged the receiver may know either. 1 to signature.MaxSignatures;
	// none needed when neither Allow nor URL is set, and where the format is a template, whose receiver asks for other
	// proof.
	Keys []signature.Key
	// Allow lists the URL prefixes that a request may ask for, for example https://soar.example.com/hooks/. A template has
	// none: what is made for a tool's own API goes to that tool.
	Allow []string
	// URL is where callbacks go when a request names none. It need not be on the list. Where the format is a template it is
	// the base URL of the receiver's API.
	URL string
	// Format says in which words the receiver is told; the zero value is resetd's own message.
	Format receiver.Spec
}

// Options is what New takes. Only Sources is needed.
type Options struct {
	// Sources are the sources by name. One that may not hear back can be left out.
	Sources map[string]Source
	// AllowPrivateNetworks lets callbacks go to loopback, private and shared address space (RFC 1918, RFC 4193, RFC 6598),
	// and lets an entry say http://.
	AllowPrivateNetworks bool
	// CAFile names a PEM file whose certificates are trusted beside those of the system.
	CAFile string
	// PublicURL is how others reach resetd; messages point to the task below it.
	PublicURL string
	// Version is told in the User-Agent header.
	Version string
	// Timeout replaces DefaultTimeout when it is not zero.
	Timeout time.Duration
	// Resolver replaces the system's resolver.
	Resolver *net.Resolver
	// Now is the clock that signs and that attempts are dated with; time.Now when nil.
	Now func() time.Time
	// Logger gets one line for each attempt.
	Logger zerolog.Logger
	// Registerer gets the metrics; nil leaves them unseen.
	Registerer prometheus.Registerer
}
