package queue

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
)

func TestTheEmbeddedEngineListensNowhere(t *testing.T) {
	q := open(t, Options{URL: "embedded"})
	enqueue(t, q, work(1))
	if addr := q.engine.redis.Addr(); addr != "" {
		t.Errorf("it listens on %s", addr)
	}
	other := open(t, Options{URL: "embedded"})
	if n, err := other.Depth(t.Context(), testQueue); err != nil || n != 0 {
		t.Errorf("a second engine sees the first one's work: %d, %v", n, err)
	}
}

func TestTheEmbeddedClockRuns(t *testing.T) {
	q := open(t, Options{URL: "embedded"})
	if err := q.client.Set(t.Context(), "x", 1, time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key expires", func() bool { return q.client.Exists(t.Context(), "x").Val() == 0 })
}

func TestTheEmbeddedEngineForgetsWhatIsHandled(t *testing.T) {
	q := open(t, Options{URL: "embedded"})
	var handled atomic.Int64
	serve(t, q, testQueue, 16, func(context.Context, jobs.Work) { handled.Add(1) })
	const n = 3 * manyVersions
	enqueueMany(t, q, works(n))
	eventually(t, "all is handled", func() bool { return handled.Load() == n })
	eventually(t, "every table of miniredis is small", func() bool {
		q.engine.redis.Lock()
		defer q.engine.redis.Unlock()
		db, tables, large := reflect.ValueOf(q.engine.db).Elem(), 0, ""
		for i := range db.NumField() {
			name, field := db.Type().Field(i).Name, db.Field(i)
			if field.Kind() != reflect.Map {
				continue
			}
			tables++
			if bound := map[string]int{"keyVersion": manyVersions}[name]; field.Len() > max(bound, 100) {
				large = name
			}
		}
		if tables < 10 {
			t.Fatalf("only %d tables found", tables)
		}
		return large == ""
	})
}
