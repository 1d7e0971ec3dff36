package testserver

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

// redisClient opens a client by the server's URL.
func redisClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisDemandsItsPassword(t *testing.T) {
	s := Redis(t)
	if err := redisClient(t, s.URL).Ping(t.Context()).Err(); err != nil {
		t.Errorf("with the URL's password: %v", err)
	}
	if err := redisClient(t, "redis://"+s.Addr+"/0").Ping(t.Context()).Err(); err == nil {
		t.Error("a client without a password was let in")
	}
}

func TestKilledRedisKeepsWhatItsAppendOnlyFileHolds(t *testing.T) {
	for policy, kept := range map[string]int64{"always": 1, "everysec": 1, "off": 0} {
		t.Run(policy, func(t *testing.T) {
			s := Redis(t, WithAppendFsync(policy))
			ctx := context.Background()
			if err := redisClient(t, s.URL).Set(ctx, "key", "value", 0).Err(); err != nil {
				t.Fatal(err)
			}
			before := s.PID()
			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
			if !gone(before) {
				t.Error("the killed process lives")
			}
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			got, err := redisClient(t, s.URL).Exists(ctx, "key").Result()
			if err != nil || got != kept {
				t.Errorf("after the restart %d keys (%v), want %d", got, err, kept)
			}
		})
	}
}

func TestFlushAllEmptiesEveryDatabase(t *testing.T) {
	s := Redis(t)
	options, err := redis.ParseURL(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	options.DB = 3
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushAll(); err != nil {
		t.Fatal(err)
	}
	if left, err := client.DBSize(t.Context()).Result(); err != nil || left != 0 {
		t.Errorf("%d keys left, %v", left, err)
	}
}

func TestUnknownAppendPolicyIsRefused(t *testing.T) {
	if _, err := StartRedis(t.Context(), t.TempDir(), WithAppendFsync("sometimes")); err == nil {
		t.Error("an unknown policy was accepted")
	}
}
