package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// aimSearch is the most that any kind of search may take at its 95th percentile, in ms.
const aimSearch = 50

const (
	searchLimit = 60 * time.Second // for all searches of one kind
	deepName    = "deep pages by cursor"
	deepSkip    = 100 // pages of schemas.MaxPage that are passed before the measured ones
)

// search measures every kind of search through the API, on a history that was written into the database beforehand.
func (b *bench) search(ctx context.Context) error {
	if err := b.searchRun(ctx, "sqlite", ""); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if !b.postgres {
		return nil
	}
	server, err := testserver.StartPostgres(ctx, "")
	if err != nil {
		return err
	}
	err = b.searchRun(ctx, "postgres", server.URL)
	return errors.Join(err, server.Close())
}

func (b *bench) searchRun(ctx context.Context, name, url string) error {
	s, err := b.historySite(url)
	if err != nil {
		return err
	}
	defer s.end()
	began := time.Now()
	if err := b.fill(ctx, s, url); err != nil {
		return s.explain(err)
	}
	fmt.Fprintf(os.Stderr, "search: %s: %d tasks loaded in %s\n", name, b.rows, time.Since(began).Round(time.Second))
	if err := s.start(ctx, b.binary); err != nil {
		return err
	}
	if err := b.calm(ctx); err != nil {
		return err
	}
	what := "search " + name + ", "
	worst := line{}
	for _, q := range queries {
		got, err := b.ask(ctx, s, q)
		if err != nil {
			return s.explain(fmt.Errorf("%s: %w", q.name, err))
		}
		b.report.tell(what+q.name+": p95", "ms", got.ms(0.95)).beside(got.ms(0.5))
		if got.ms(0.95) > worst.Value {
			worst = line{What: q.name, Value: got.ms(0.95)}
		}
	}
	got, err := b.deep(ctx, s)
	if err != nil {
		return s.explain(fmt.Errorf("deep pages: %w", err))
	}
	b.report.tell(what+deepName+": p95", "ms", got.ms(0.95)).beside(got.ms(0.5))
	if got.ms(0.95) > worst.Value {
		worst = line{What: deepName, Value: got.ms(0.95)}
	}
	b.report.atMost(fmt.Sprintf("search %s, the slowest of %d kinds (%s): p95", name, len(queries)+1, worst.What), "ms", worst.Value, aimSearch)
	rss, err := s.process.RSS()
	if err != nil {
		return err
	}
	b.report.tell(what+"resident memory afterwards", "MB", float64(rss)/1e6)
	return s.process.Stop()
}

// historySite makes an installation with the sources and systems of the history. Its workers have nothing to do.
func (b *bench) historySite(ledger string) (*stage, error) {
	dir, err := os.MkdirTemp(b.dir, "search-")
	if err != nil {
		return nil, err
	}
	s := &stage{began: time.Now(), close: []func(){func() { _ = os.RemoveAll(dir) }}}
	var systems strings.Builder
	for _, name := range historySystems.names() {
		fmt.Fprintf(&systems, "  - {name: %s, kind: imitation, enforcement: granted, config: {reset_ms: 20}}\n", name)
	}
	s.site, err = harness.NewSite(dir, harness.SiteOptions{Ledger: ledger, Names: historySystems.names(), Systems: systems.String(),
		Extra: "log: {level: warn, format: json}\nretention: {tasks: 730d}\n"})
	if err != nil {
		s.end()
		return nil, err
	}
	s.client = s.site.Client(1)
	return s, nil
}

// ask does one kind of search as often as the settings say, one after the other, as a person does.
func (b *bench) ask(ctx context.Context, s *stage, q query) (samples, error) {
	r := rand.New(rand.NewPCG(historySeed1, historySeed2))
	var out samples
	deadline := time.Now().Add(searchLimit)
	for len(out) < b.samples && time.Now().Before(deadline) {
		page, took, err := s.page(ctx, q.next(r, s.began))
		if err != nil {
			return nil, err
		}
		if n := len(page.Tasks); b.rows >= 1_000_000 && (q.some && n == 0 || q.none && n > 0) {
			return nil, fmt.Errorf("%d matches", n)
		}
		out = append(out, took)
	}
	return out, nil
}

// deep follows the cursor to far behind the first page, and measures from there.
func (b *bench) deep(ctx context.Context, s *stage) (samples, error) {
	var out samples
	want := params("limit", fmt.Sprint(schemas.MaxPage))
	for i := range deepSkip + b.samples {
		if i == deepSkip {
			want.Set("limit", fmt.Sprint(schemas.DefaultPage))
		}
		page, took, err := s.page(ctx, want)
		if err != nil {
			return nil, err
		}
		if i >= deepSkip {
			out = append(out, took)
		}
		if page.Next == "" {
			break
		}
		want.Set("cursor", page.Next)
	}
	return out, nil
}

// page asks for one page and gives how long the call took, until the answer had arrived.
func (s *stage) page(ctx context.Context, want url.Values) (page schemas.TaskPage, took time.Duration, err error) {
	var text []byte
	began := time.Now()
	code, err := s.client.Get(ctx, "/v1/tasks?"+want.Encode(), &text)
	took = time.Since(began)
	switch {
	case err != nil:
	case code != http.StatusOK:
		err = fmt.Errorf("HTTP %d", code)
	default:
		err = json.Unmarshal(text, &page)
	}
	return page, took, err
}
