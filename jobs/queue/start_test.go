package queue

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

func TestOpenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	server := testserver.Redis(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := nobody.Addr().String()
	_ = nobody.Close() // so that nobody listens there
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() }) // it accepted nothing
	for name, c := range map[string]struct {
		o    Options
		want []string
	}{
		"nobody listens": {Options{URL: "redis://u:hunter2@" + closed}, []string{closed, "refused", "start it"}},
		"nobody answers": {Options{URL: "redis://u:hunter2@" + mute.Addr().String()}, []string{mute.Addr().String(), "does not answer"}},
		"wrong password": {Options{URL: "redis://:hunter2@" + server.Addr}, []string{server.Addr, "check user and password"}},
		"no password":    {Options{URL: "redis://" + server.Addr}, []string{server.Addr, "check user and password"}},
		"unknown user":   {Options{URL: "redis://" + server.Addr, Password: schemas.NewSecret("hunter2")}, []string{"check user and password"}},
		"no TLS there":   {Options{URL: "rediss://:hunter2@" + server.Addr}, []string{server.Addr, "redis"}},
		"no sentinel":    {Options{URL: "redis+sentinel://:hunter2@" + closed + "/main"}, []string{closed, "does not answer"}},
		"no cluster":     {Options{URL: "redis+cluster://:hunter2@" + closed}, []string{closed, "does not answer"}},
		"bad prefix":     {Options{URL: "embedded", Prefix: "a{b}"}, []string{"prefix"}},
		"bad pullers":    {Options{URL: "embedded", Pullers: -1}, []string{"pullers"}},
		"bad URL":        {Options{URL: "memcached://u:hunter2@h"}, []string{"redis://"}},
	} {
		var log journal
		c.o.Logger = log.logger()
		begin := time.Now()
		_, err := Open(t.Context(), c.o)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		t.Logf("%s: %v", name, err)
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error lacks %q: %v", name, part, err)
			}
		}
		if strings.Contains(err.Error()+log.String(), "hunter2") {
			t.Errorf("%s: the password is in the error or the log", name)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestOpenObeysItsContext(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() }) // it accepted nothing
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{URL: "redis://" + mute.Addr().String()}); err == nil {
		t.Error("no error")
	}
}

func TestOpenWaitsForARedisThatIsLoading(t *testing.T) {
	m := miniredis.RunT(t)
	m.SetError("LOADING Redis is loading the dataset in memory")
	time.AfterFunc(400*time.Millisecond, func() { m.SetError("") })
	var log journal
	q, box := open(t, Options{URL: "redis://" + m.Addr(), Logger: log.logger()}), newInbox()
	serve(t, q, testQueue, 1, box.take)
	enqueue(t, q, work(1))
	box.await(t, work(1))
	if text := log.String(); strings.Count(text, "waiting for it") != 1 || strings.Contains(text, ErrDown.Error()) {
		t.Errorf("the log is:\n%s", text)
	}
}

func TestARiskyEvictionPolicyIsTold(t *testing.T) {
	server := testserver.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password})
	t.Cleanup(func() { _ = admin.Close() }) // nothing is pending
	for policy, want := range map[string]bool{"allkeys-lru": true, "noeviction": false} {
		if err := admin.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		var log journal
		open(t, Options{URL: server.URL, Logger: log.logger()})
		if told := strings.Contains(log.String(), `"level":"warn"`); told != want {
			t.Errorf("%s: told %v:\n%s", policy, told, log.String())
		}
	}
}

func TestARedisThatForbidsConfigWillDo(t *testing.T) {
	server := testserver.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password})
	t.Cleanup(func() { _ = admin.Close() }) // nothing is pending
	rules := []any{"acl", "setuser", "limited", "on", ">limited-pw", "~asynq:*", "&*", "+@all", "-@admin", "-@dangerous", "-config"}
	if err := admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	var log journal
	q, box := open(t, Options{URL: "redis://limited:limited-pw@" + server.Addr, Logger: log.logger()}), newInbox()
	serve(t, q, testQueue, 2, box.take)
	enqueue(t, q, work(1))
	box.await(t, work(1))
	text := log.String()
	if !strings.Contains(text, "does not show its settings") || strings.Contains(text, `"level":"warn"`) || strings.Contains(text, "limited-pw") {
		t.Errorf("the log is:\n%s", text)
	}
	if _, err := q.Tidy(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASyncingRedisGetsSeveralPullers(t *testing.T) {
	for policy, want := range map[string]int{"always": 4, "everysec": 1, "off": 1} {
		q := open(t, Options{URL: testserver.Redis(t, testserver.WithAppendFsync(policy)).URL})
		w := serve(t, q, testQueue, 16, func(context.Context, jobs.Work) {})
		if len(w.servers) != want {
			t.Errorf("%s: %d pullers, want %d", policy, len(w.servers), want)
		}
	}
}

func TestMetricsCount(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		registry := prometheus.NewPedanticRegistry()
		o.Registerer = registry
		q := open(t, o)
		enqueue(t, q, work(1), work(2), work(2))
		if err := q.Enqueue(t.Context(), jobs.Work{Queue: testQueue}); err == nil {
			t.Error("no error")
		}
		got := values(t, registry)
		for name, want := range map[string]float64{
			"resetd_queue_depth system-test":                2,
			"resetd_queue_enqueued_total system-test":       2,
			"resetd_queue_enqueue_errors_total system-test": 0,
			"resetd_queue_rings_total system-test":          3,
			"resetd_queue_redis_up":                         1,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s is %v (there: %v), want %v", name, v, ok, want)
			}
		}
		if _, err := Open(t.Context(), o); err == nil {
			t.Error("a second queue on one registry: no error")
		}
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if families, err := registry.Gather(); err != nil || len(families) != 0 {
			t.Errorf("after Close there are metrics: %v, %v", families, err)
		}
	})
}

// values gives all metrics of a registry by name and queue.
func values(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			all[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() // one of them is not there and gives 0
		}
	}
	return all
}
