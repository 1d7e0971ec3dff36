package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
)

// scene is everything that a trial needs, running.
type scene struct {
	site     *harness.Site
	slapd    *testserver.SlapdServer
	redis    *testserver.RedisServer
	receiver *harness.Receiver
	log      *os.File
	close    []func()
}

func setUp(ctx context.Context, s settings, v variant) (_ *scene, err error) {
	c := &scene{}
	defer func() {
		if err != nil {
			c.end()
		}
	}()
	dir, err := os.MkdirTemp("", "resetd-crash-site-")
	if err != nil {
		return nil, err
	}
	c.close = append(c.close, func() { _ = os.RemoveAll(dir) })
	if c.slapd, err = testserver.StartSlapd(ctx, "", testserver.WithUsers(s.users)); err != nil {
		return nil, err
	}
	c.close = append(c.close, func() { _ = c.slapd.Close() })
	queue := "embedded"
	if v.redis {
		if c.redis, err = testserver.StartRedis(ctx, "", testserver.WithAppendFsync("always")); err != nil {
			return nil, err
		}
		c.close = append(c.close, func() { _ = c.redis.Close() })
		queue = c.redis.URL
	}
	if c.receiver, err = harness.NewReceiver(nil); err != nil {
		return nil, err
	}
	c.close = append(c.close, c.receiver.Close)
	c.site, err = harness.NewSite(dir, harness.SiteOptions{Coalesce: "off", Queue: queue, CallbackURL: c.receiver.URL, Names: []string{"corp-ldap"},
		Systems: harness.OpenLDAP("corp-ldap", c.slapd), Secrets: map[string]string{"ldap.password": c.slapd.ServicePassword},
		Extra: "log: {level: warn, format: json}\n"})
	if err != nil {
		return nil, err
	}
	if err := c.receiver.Trust(c.site.CallbackKey); err != nil {
		return nil, err
	}
	if c.log, err = os.Create(filepath.Join(dir, "resetd.log")); err != nil {
		return nil, err
	}
	c.close = append(c.close, func() { _ = c.log.Close() })
	return c, nil
}

func (c *scene) end() {
	for i := len(c.close) - 1; i >= 0; i-- {
		c.close[i]()
	}
}

// trial runs one variant: rounds of load that end with a kill, then one start that must finish everything.
func trial(ctx context.Context, s settings, v variant, binary string) (*report, error) {
	c, err := setUp(ctx, s, v)
	if err != nil {
		return nil, err
	}
	defer c.end()
	senders := newSenders(c.site, s)
	for round := 1; round <= s.rounds; round++ {
		p, err := c.start(ctx, binary)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round, err)
		}
		stop, _ := senders.begin(ctx)
		if err := senders.firstAck(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("round %d: %w", round, err), c.tail())
		}
		life := s.least + rand.N(s.most-s.least+1)
		if v.flush {
			time.Sleep(life / 2)
			if err := c.redis.FlushAll(); err != nil {
				return nil, err
			}
			life -= life / 2
		}
		time.Sleep(life)
		p.Kill()
		stop()
		fmt.Fprintf(os.Stderr, "%s: round %d of %d, %d acknowledged so far\n", v.name, round, s.rounds, senders.acknowledged())
	}
	return finish(ctx, s, v, c, senders, binary)
}

func (c *scene) start(ctx context.Context, binary string) (*harness.Process, error) {
	p, err := c.site.Start(binary, c.log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		p.Kill()
		return nil, errors.Join(err, c.tail())
	}
	return p, nil
}

// tail gives the end of resetd's log as an error, for a person to read.
func (c *scene) tail() error {
	text, err := os.ReadFile(c.log.Name())
	if err != nil {
		return err
	}
	return fmt.Errorf("the end of its log:\n%s", text[max(0, len(text)-2000):])
}
