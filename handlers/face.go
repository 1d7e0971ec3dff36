package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"
)

// Face is the HTTP face: an http.Handler, safe for concurrent use.
type Face struct {
	Deps
	engine   *gin.Engine
	metrics  *metrics
	refusal  zerolog.Logger    // for what strangers can cause: at most refusalsPerSecond lines
	calls    sync.Pool         // *call
	pace     pace              // of calls that ask the systems
	status   string            // PublicURL/v1/tasks/
	gates    map[string]*gate  // by source
	tallies  map[string]*tally // by source
	refusals *refusals
	proxies  proxies
	closing  context.Context
	release  context.CancelFunc
}

// refusalsPerSecond bounds what a flood of bad requests can write to the log; the metrics count all of them.
const refusalsPerSecond = 50

// New makes the face. The error names every dependency that is missing or cannot be used.
func New(d Deps) (*Face, error) {
	if err := d.complete(); err != nil {
		return nil, err
	}
	trusted, err := parseProxies(d.TrustedProxies)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(d.Registerer, d.Sources.Names())
	if err != nil {
		return nil, fmt.Errorf("handlers: register metrics: %w", err)
	}
	f := &Face{
		Deps: d, metrics: m, pace: pace{now: d.Now}, status: strings.TrimRight(d.PublicURL, "/") + "/v1/tasks/",
		refusal: d.Logger.Sample(&zerolog.BurstSampler{Burst: refusalsPerSecond, Period: time.Second}),
	}
	f.refusals, f.proxies = newRefusals(d.Refusals, d.Now), trusted
	f.gates, f.tallies = map[string]*gate{}, map[string]*tally{}
	for _, name := range d.Sources.Names() {
		src, _ := d.Sources.Find(name)
		f.gates[name], f.tallies[name] = newGate(src.Limits), &tally{}
	}
	f.calls.New = func() any { return new(call) }
	f.closing, f.release = context.WithCancel(context.Background())
	f.engine = f.mount()
	return f, nil
}

// ServeHTTP answers one request.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.engine.ServeHTTP(w, r) }

// mount hangs the routes into a gin engine that redirects nothing: a sender would follow a redirect without its body,
// or not at all.
func (f *Face) mount() *gin.Engine {
	gin.SetMode(gin.ReleaseMode) // gin prints every route to standard output otherwise
	e := gin.New()
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.ForwardedByClientIP = false // proxies.client tells who the client is
	for _, r := range f.routes() {
		for _, method := range r.methods() {
			e.Handle(method, r.pattern(), f.frame(r, method))
		}
	}
	e.NoRoute(f.frame(route{path: unmatched, handle: f.noRoute}, unmatched))
	e.NoMethod(f.frame(route{path: unmatched, handle: f.noMethod}, unmatched))
	return e
}
