package queue

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// scriptSpy notes the texts of the scripts that pass.
type scriptSpy struct {
	mu    sync.Mutex
	texts map[string]string // by digest
}

func (s *scriptSpy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *scriptSpy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s *scriptSpy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "eval" {
			text := cmd.Args()[1].(string)
			digest := sha1.Sum([]byte(text))
			s.mu.Lock()
			s.texts[hex.EncodeToString(digest[:])] = text
			s.mu.Unlock()
		}
		return next(ctx, cmd)
	}
}

// asynqScripts lets asynq handle one task on a plain miniredis and gives the scripts that it sent.
func asynqScripts(t *testing.T) map[string]string {
	t.Helper()
	spy := &scriptSpy{texts: map[string]string{}}
	client := lua(t)
	client.AddHook(spy)
	if _, err := asynq.NewClientFromRedisClient(client).Enqueue(asynq.NewTask("x", nil), asynq.Queue("q")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	server := asynq.NewServerFromRedisClient(client, asynq.Config{Queues: map[string]int{"q": 1}, LogLevel: asynq.FatalLevel})
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { close(done); return nil })); err != nil {
		t.Fatal(err)
	}
	<-done
	server.Shutdown()
	spy.mu.Lock()
	defer spy.mu.Unlock()
	return spy.texts
}

// lua gives a client of a miniredis that runs all scripts as Lua.
func lua(t *testing.T) *redis.Client {
	t.Helper()
	m := miniredis.NewMiniRedis()
	client := redis.NewClient(&redis.Options{
		Addr: "lua", Dialer: func(context.Context, string, string) (net.Conn, error) { return m.Dial() },
	})
	t.Cleanup(func() {
		_ = client.Close() // before its server, whose end it would take for an error
		m.Close()
	})
	return client
}

func TestTheNativeScriptsAreThoseThatAsynqSends(t *testing.T) {
	sent := asynqScripts(t)
	for digest := range natives {
		if sent[digest] == "" {
			t.Errorf("asynq does not send the script %s any more: compare its scripts with native.go", digest)
		}
	}
	// One enqueue, dequeue and done each; the others are housekeeping.
	for digest, text := range sent {
		if natives[digest] == nil && (strings.Contains(text, "LPUSH") || strings.Contains(text, "RPOPLPUSH")) {
			t.Errorf("asynq sends a script that native.go does not know:\n%s", text)
		}
	}
}

// TestTheNativeScriptsLeaveTheSameAsLua runs the same commands, sensible or not, on the embedded engine and on Lua.
func TestTheNativeScriptsLeaveTheSameAsLua(t *testing.T) {
	texts := asynqScripts(t)
	digest := map[string]string{}
	for d := range natives {
		switch text := texts[d]; {
		case strings.Contains(text, "RPOPLPUSH"):
			digest["dequeue"] = d
		case strings.Contains(text, "LPUSH"):
			digest["enqueue"] = d
		default:
			digest["done"] = d
		}
	}
	e := newEngine()
	ours, theirs, ctx := e.client(), lua(t), t.Context()
	t.Cleanup(func() {
		_ = ours.Close() // before its engine
		e.close()
	})
	key := func(part string) string { return "asynq:{q}:" + part }
	random := rand.New(rand.NewPCG(1, 2))
	ran := map[string]int{}
	for step := range 1500 {
		id := fmt.Sprint(random.IntN(6))
		now := int64(1_800_000_000 + step)
		var command []any
		switch n := random.IntN(100); {
		case n < 30:
			command = []any{"enqueue", 2, key("t:" + id), key("pending"), []byte("msg\x00\xff" + id), id, now * 1e9}
		case n < 60:
			command = []any{"dequeue", 4, key("pending"), key("paused"), key("active"), key("lease"), now, key("t:")}
		case n < 90:
			command = []any{"done", 5, key("active"), key("lease"), key("t:" + id), key("processed:2027-01-01"), key("processed"),
				id, now + 90*86400, int64(1<<63 - 1)}
		case n < 92:
			command = []any{"set", key("paused"), 1}
		case n < 94:
			command = []any{"del", key("paused")}
		case n < 95:
			command = []any{"del", key("t:" + id)}
		case n < 96:
			command = []any{"zrem", key("lease"), id}
		case n < 97:
			command = []any{"lrem", key("active"), 0, id}
		case n < 98:
			command = []any{"set", key("processed"), int64(1<<63 - 1)}
		case n < 99:
			command = []any{"set", key("pending"), "of another type"}
		default:
			command = []any{"del", key("pending"), key("active"), key("processed")}
		}
		name := command[0].(string)
		ran[name]++
		var a, b any
		var errA, errB error
		if d, ok := digest[name]; ok {
			a, errA = run(ctx, ours, d, texts[d], command[1:])
			b, errB = run(ctx, theirs, d, texts[d], command[1:])
		} else {
			a, errA = ours.Do(ctx, command...).Result()
			b, errB = theirs.Do(ctx, command...).Result()
		}
		if fmt.Sprint(a, errA) != fmt.Sprint(b, errB) {
			t.Fatalf("step %d, %q: got %v, %v; Lua gives %v, %v", step, command, a, errA, b, errB)
		}
		if left, want := state(t, ours), state(t, theirs); left != want {
			t.Fatalf("step %d, %q: left\n%s\nLua leaves\n%s", step, command, left, want)
		}
	}
	t.Log(ran)
}

// run runs a script as go-redis's Script does.
func run(ctx context.Context, c client, digest, text string, words []any) (any, error) {
	n := words[0].(int)
	keys := make([]string, n)
	for i := range keys {
		keys[i] = words[1+i].(string)
	}
	cmd := c.EvalSha(ctx, digest, keys, words[1+n:]...)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = c.Eval(ctx, text, keys, words[1+n:]...)
	}
	return cmd.Result()
}

// state gives all that a miniredis holds, with the days left of what expires.
func state(t *testing.T, c client) string {
	t.Helper()
	ctx := t.Context()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, key := range keys { // in order, as miniredis gives them
		var value any
		kind := c.Type(ctx, key).Val()
		switch kind {
		case "string":
			value = c.Get(ctx, key).Val()
		case "hash":
			value = c.HGetAll(ctx, key).Val()
		case "list":
			value = c.LRange(ctx, key, 0, -1).Val()
		case "zset":
			value = c.ZRangeWithScores(ctx, key, 0, -1).Val()
		}
		days := int(c.TTL(ctx, key).Val().Hours() / 24)
		fmt.Fprintf(&text, "%s %s %d %q\n", key, kind, days, fmt.Sprint(value))
	}
	return text.String()
}
