package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
)

// variant is one way to run resetd.
type variant struct {
	name  string
	fsync string // of the Redis that holds the queue; empty for the embedded queue
}

var (
	embedded      = variant{name: "embedded"}
	redisAlways   = variant{name: "redis", fsync: "always"}
	redisEverySec = variant{name: "redis everysec", fsync: "everysec"}
)

// chosen gives those of the variants that the settings name.
func (b *bench) chosen(all ...variant) []variant {
	if len(b.queues) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(v variant) bool { return !slices.Contains(b.queues, strings.ReplaceAll(v.name, " ", "-")) })
}

// stage is a running resetd with all that it needs, in a folder of its own.
type stage struct {
	site     *harness.Site
	process  *harness.Process
	client   *harness.Client
	redis    *testserver.RedisServer // nil for the embedded queue
	redisPID int
	pprof    string    // where the process answers for profiles; empty without
	began    time.Time // where a history ends
	log      *os.File
	close    []func()
}

// imitationYAML is the one system of a benchmark.
const imitationYAML = "  - {name: imitation, kind: imitation, enforcement: granted, config: {reset_ms: 20}}\n"

// set starts resetd, empty, with the one system of most parts, and waits until it is ready.
func (b *bench) set(ctx context.Context, v variant) (*stage, error) {
	return b.setWith(ctx, v, imitationYAML, "off")
}

// setWith does the same with another description of the system imitation, and with requests for one account coalesced as
// the configuration says; empty for the default. With off, each request resets.
func (b *bench) setWith(ctx context.Context, v variant, systems, coalesce string) (_ *stage, err error) {
	s := &stage{}
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	dir, err := os.MkdirTemp(b.dir, "site-")
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, func() { _ = os.RemoveAll(dir) })
	queue := ""
	if v.fsync != "" {
		if s.redis, err = testserver.StartRedis(ctx, "", testserver.WithAppendFsync(v.fsync)); err != nil {
			return nil, err
		}
		s.close = append(s.close, func() { _ = s.redis.Close() })
		if s.redisPID, err = redisPID(ctx, s.redis.URL); err != nil {
			return nil, err
		}
		queue = s.redis.URL
	}
	s.site, err = harness.NewSite(dir, harness.SiteOptions{Coalesce: coalesce, Queue: queue, Names: []string{"imitation"}, Systems: systems,
		Extra: "log: {level: warn, format: json}\n"})
	if err != nil {
		return nil, err
	}
	s.client, s.site.Env = s.site.Client(4), b.env
	if b.profile != "" {
		if s.pprof, err = freeAddress(); err != nil {
			return nil, err
		}
		s.site.Env = append([]string{"RESETD_PPROF=" + s.pprof}, b.env...)
	}
	return s, s.start(ctx, b.binary)
}

// start runs the binary on what the site holds.
func (s *stage) start(ctx context.Context, binary string) (err error) {
	if s.log, err = os.Create(filepath.Join(s.site.Dir, "resetd.log")); err != nil {
		return err
	}
	s.close = append(s.close, func() { _ = s.log.Close() })
	if s.process, err = s.site.Start(binary, s.log); err != nil {
		return err
	}
	s.close = append(s.close, s.process.Kill)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.process.Ready(ctx); err != nil {
		return s.explain(err)
	}
	return nil
}

// end stops whatever runs, at once, and removes its files.
func (s *stage) end() {
	for i := len(s.close) - 1; i >= 0; i-- {
		s.close[i]()
	}
}

// explain adds the end of resetd's log to an error.
func (s *stage) explain(err error) error {
	if err == nil {
		return nil
	}
	text, errLog := os.ReadFile(s.log.Name())
	if errLog != nil || len(text) == 0 {
		return err
	}
	return errors.Join(err, fmt.Errorf("the end of its log:\n%s", text[max(0, len(text)-2000):]))
}

// load makes load on the stage.
func (s *stage) load(ctx context.Context, p loadPlan) (*load, error) {
	t, err := newTemplate(s.site.Listen, s.site.Source, s.site.Key)
	if err != nil {
		return nil, err
	}
	t.people = p.people
	got, err := t.send(ctx, s.site.Listen, p)
	return got, s.explain(err)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
