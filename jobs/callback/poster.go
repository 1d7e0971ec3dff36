package callback

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Poster posts callbacks. It is safe for concurrent use and needs no closing.
type Poster struct {
	outlets map[string]*outlet
	secure  *http.Client // https
	plain   *http.Client // http, to private networks only
	agent   string
	public  string // PublicURL without a slash at its end
	timeout time.Duration
	now     func() time.Time
	log     zerolog.Logger
	metrics *metrics
}

// New reads the configuration of all sources. The error names every fault by source and setting: a prefix that cannot be
// compared, http:// without private networks, a missing or useless key, a format that cannot be made, a CA file that cannot
// be read.
func New(o Options) (*Poster, error) {
	roots, err := loadRoots(o.CAFile)
	faults := []error{err}
	p := &Poster{outlets: map[string]*outlet{}, agent: "resetd", public: strings.TrimRight(o.PublicURL, "/"), timeout: o.Timeout, now: o.Now, log: o.Logger}
	for _, name := range slices.Sorted(maps.Keys(o.Sources)) {
		out, err := newOutlet(o.Sources[name], o.AllowPrivateNetworks)
		if err != nil {
			faults = append(faults, fmt.Errorf("source %q: %w", name, err))
		}
		p.outlets[name] = out
	}
	if p.timeout < 0 {
		faults = append(faults, errors.New("the callback timeout is negative"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if p.timeout == 0 {
		p.timeout = DefaultTimeout
	}
	if p.now == nil {
		p.now = time.Now
	}
	if o.Version != "" {
		p.agent += "/" + o.Version
	}
	p.secure, p.plain = newClient(o, roots, false), newClient(o, roots, true)
	p.metrics = newMetrics(o.Registerer)
	return p, nil
}
