package ledger

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// wide is the population on which searches are measured.
func wide(tasks int) population {
	p := population{tasks: tasks, accounts: max(10, tasks/10)}
	for i := range 10 {
		p.systems = append(p.systems, fmt.Sprintf("system-%d", i))
	}
	for i := range 5 {
		p.sources = append(p.sources, fmt.Sprintf("source-%d", i))
	}
	return p
}

// searches are those that people make, and those that are hard. Every one must take 50 ms at most, p95, on a million.
func searches() map[string]schemas.TaskQuery {
	half := epoch.Add(-182 * 24 * time.Hour)
	return map[string]schemas.TaskQuery{
		"everything":                         {},
		"status common":                      {Status: schemas.StatusSuccessful},
		"status rare":                        {Status: schemas.StatusPendingApproval},
		"source":                             {Source: "source-4"},
		"system":                             {System: "system-6"},
		"status+source+system common":        {Status: schemas.StatusSuccessful, Source: "source-0", System: "system-1"},
		"status+source+system rare":          {Status: schemas.StatusInProgress, Source: "source-4", System: "system-7"},
		"status+source+system never":         {Status: schemas.StatusSuccessful, Source: "source-0", System: "system-9"},
		"time only":                          {From: half, To: half.Add(time.Hour)},
		"time+status rare":                   {Status: schemas.StatusPendingApproval, To: half},
		"account exact":                      {Q: "smith000012@example.com"},
		"account busy":                       {Q: "nguyen000100@"},
		"substring selective":                {Q: "nes0001"},
		"substring common":                   {Q: "smith"},
		"substring everywhere":               {Q: "example.com"},
		"substring old only":                 {Q: "old.example.net"},
		"substring none":                     {Q: "zzz-nobody"},
		"letter":                             {Q: "s"},
		"letter none":                        {Q: "~"},
		"two letters":                        {Q: "it"},
		"two letters none":                   {Q: "qx"},
		"wildcards":                          {Q: "%_%"},
		"other case":                         {Q: "MÜLLER0001"},
		"substring common+status rare":       {Q: "smith", Status: schemas.StatusPendingApproval},
		"substring common+triple":            {Q: "smith", Status: schemas.StatusUnsuccessful, Source: "source-2", System: "system-3"},
		"substring common+triple never":      {Q: "smith", Status: schemas.StatusUnsuccessful, Source: "source-0", System: "system-9"},
		"substring selective+status":         {Q: "nes0001", Status: schemas.StatusUnsuccessful},
		"substring selective+triple rare":    {Q: "nes0001", Status: schemas.StatusRejected, Source: "source-4", System: "system-7"},
		"substring old only+status":          {Q: "old.example.net", Status: schemas.StatusUnsuccessful},
		"substring old only+time of nothing": {Q: "old.example.net", From: epoch.Add(-24 * time.Hour)},
		"substring of one source elsewhere":  {Q: "old.example.net", Source: "source-4", From: half.Add(24 * time.Hour)},
		"large page":                         {Status: schemas.StatusSuccessful, Limit: schemas.MaxPage},
	}
}

// BenchmarkSearch prints p50 and p95 of every search, of its first page and of a page deep inside. RESETD_BENCH_TASKS
// sets the number of tasks (100,000). RESETD_BENCH_DIR and RESETD_BENCH_POSTGRES name a folder and a database that are
// kept for the next run.
func BenchmarkSearch(b *testing.B) {
	tasks := 100_000
	if n, err := strconv.Atoi(os.Getenv("RESETD_BENCH_TASKS")); err == nil {
		tasks = n
	}
	b.Run("sqlite", func(b *testing.B) {
		p := sqlitePlace(b)
		if dir := os.Getenv("RESETD_BENCH_DIR"); dir != "" {
			p.options.Dir = dir
		}
		measureSearches(b, p.open(b), tasks)
	})
	b.Run("postgres", func(b *testing.B) {
		p := postgresPlace(b)
		if location := os.Getenv("RESETD_BENCH_POSTGRES"); location != "" {
			p.options.URL = location
		}
		measureSearches(b, p.open(b), tasks)
	})
}

func measureSearches(b *testing.B, l *Ledger, tasks int) {
	page, err := l.Search(b.Context(), schemas.TaskQuery{Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	if len(page.Tasks) == 0 {
		begin := time.Now()
		wide(tasks).seed(b, l, false)
		b.Logf("%d tasks seeded in %s", tasks, time.Since(begin).Round(time.Second))
	}
	deep := schemas.TaskQuery{Limit: schemas.MaxPage}
	for range 20 {
		if page, err = l.Search(b.Context(), deep); err != nil {
			b.Fatal(err)
		}
		deep.Cursor = page.Next
	}
	all := searches()
	all["page deep"] = schemas.TaskQuery{Cursor: deep.Cursor}
	all["page deep+status"] = schemas.TaskQuery{Cursor: deep.Cursor, Status: schemas.StatusSuccessful}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	b.ResetTimer()
	for range b.N {
		for _, name := range names {
			const rounds = 40
			var took []time.Duration
			for range rounds {
				begin := time.Now()
				if page, err = l.Search(b.Context(), all[name]); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			fmt.Printf("%-36s %4d found   p50 %8.2f ms   p95 %8.2f ms\n", name, len(page.Tasks),
				float64(took[rounds/2].Microseconds())/1000, float64(took[rounds*95/100].Microseconds())/1000)
		}
	}
}
