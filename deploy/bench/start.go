package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/resetd/resetd/deploy/harness"
)

// The aims for the binary as it is shipped.
const (
	aimStart = 300 // ms from exec to the first 200 of /readyz
	aimRSS   = 60  // MB
)

const (
	starts    = 10
	rssSettle = 5 * time.Second
)

// One system that is never called: opening it connects to nothing.
const absentLDAP = "  - {name: corp-ldap, kind: openldap, enforcement: granted, config: {url: \"ldaps://127.0.0.1:636\", bind_dn: \"cn=resetd,dc=example,dc=com\", password: \"file:ldap.password\", base_dn: \"dc=example,dc=com\"}}\n"

// start measures how long the shipped binary takes from exec to ready, with an empty data folder and with one that is
// there already, its resident memory once it rests, and its size.
func (b *bench) start(ctx context.Context) error {
	var fresh, again samples
	var rss int64
	if err := b.calm(ctx); err != nil {
		return err
	}
	for i := range starts {
		dir, err := os.MkdirTemp(b.dir, "start-")
		if err != nil {
			return err
		}
		site, err := harness.NewSite(dir, harness.SiteOptions{Names: []string{"corp-ldap"}, Systems: absentLDAP,
			Secrets: map[string]string{"ldap.password": "not used"}, Extra: "log: {level: warn, format: json}\n"})
		if err != nil {
			return err
		}
		for _, into := range []*samples{&fresh, &again} {
			took, memory, err := b.startOnce(ctx, site, i == starts-1 && into == &again)
			if err != nil {
				return err
			}
			*into, rss = append(*into, took), max(rss, memory)
		}
	}
	info, err := os.Stat(b.shipped)
	if err != nil {
		return err
	}
	b.report.atMost("start: exec → ready, new data folder, median of 10", "ms", fresh.ms(0.5), aimStart)
	b.report.atMost("start: exec → ready, existing data folder, median of 10", "ms", again.ms(0.5), aimStart)
	b.report.tell("start: slowest of all", "ms", max(fresh.ms(1), again.ms(1)))
	b.report.atMost("idle resident memory", "MB", float64(rss)/1e6, aimRSS)
	b.report.tell("binary, stripped", "MB", float64(info.Size())/1e6)
	return nil
}

func (b *bench) startOnce(ctx context.Context, site *harness.Site, rest bool) (took time.Duration, rss int64, err error) {
	s := &stage{site: site}
	defer s.end()
	began := time.Now()
	if err := s.start(ctx, b.shipped); err != nil {
		return 0, 0, fmt.Errorf("start: %w", err)
	}
	took = time.Since(began)
	if rest {
		time.Sleep(rssSettle)
		if rss, err = s.process.RSS(); err != nil {
			return 0, 0, err
		}
	}
	return took, rss, s.explain(s.process.Stop())
}
