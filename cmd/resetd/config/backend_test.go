package config_test

import (
	"path/filepath"
	"testing"

	"github.com/resetd/resetd/cmd/resetd/config"
)

func TestABackendIsOurOwnOrAURL(t *testing.T) {
	for text, want := range map[string]struct{ scheme, url, shown string }{
		"ledger: sqlite":               {"sqlite", "", "sqlite"},
		"queue: embedded":              {"embedded", "", "embedded"},
		"ledger: postgres://db/resetd": {"postgres", "postgres://db/resetd", "postgres://db/resetd"},
		"ledger: postgres://u:${DB_PASSWORD}@${HOST}:5432/r":           {"postgres", "postgres://u:p%40ss%2Fw%3Frd%20%231%25@db.internal:5432/r", "postgres://db.internal:5432/r"},
		"ledger: postgresql://db/r?user=u&password=${DB_PASSWORD}":     {"postgresql", "postgresql://db/r?user=u&password=p%40ss%2Fw%3Frd%20%231%25", "postgresql://db/r"},
		"queue: redis://127.0.0.1:6379/1":                              {"redis", "redis://127.0.0.1:6379/1", "redis://127.0.0.1:6379/1"},
		"queue: redis+sentinel://:${DB_PASSWORD}@a:26379,b:26379/main": {"redis+sentinel", "redis+sentinel://:p%40ss%2Fw%3Frd%20%231%25@a:26379,b:26379/main", "redis+sentinel://a:26379,b:26379/main"},
		"queue: redis+cluster://a:1,b:2,c:3":                           {"redis+cluster", "redis+cluster://a:1,b:2,c:3", "redis+cluster://a:1,b:2,c:3"},
		"ledger: ${WHOLE}":                                             {"postgres", "postgres://u:secret@db/r?sslmode=require", "postgres://db/r"},
		"ledger: ${OWN}":                                               {"sqlite", "", "sqlite"},
	} {
		e := testEnv()
		e["WHOLE"], e["OWN"] = "postgres://u:secret@db/r?sslmode=require", "sqlite"
		c, err := load(t, text+"\n", e)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		b := c.Ledger
		if text[0] == 'q' {
			b = c.Queue
		}
		if b.Scheme != want.scheme || b.URL.Reveal() != want.url || b.String() != want.shown || b.Local() != (want.url == "") {
			t.Errorf("%s: got %s %q %q", text, b.Scheme, b.URL.Reveal(), b.String())
		}
	}
}

func TestABackendThatCannotBeIsToldWithoutItsPassword(t *testing.T) {
	for text, want := range map[string]string{
		"ledger: embedded":                          "1:9 ledger: neither sqlite nor a URL",
		"queue: sqlite":                             "1:8 queue: neither embedded nor a URL",
		"queue: redis:/x":                           "1:8 queue: neither embedded nor a URL",
		"queue: 5":                                  "1:8 queue: must be embedded or a URL",
		"queue: [redis://a]":                        "1:8 queue: must be embedded or a URL",
		"queue: redis:///0":                         "1:8 queue: names no host",
		"queue: redis://u:pa/ss@${HOST}":            "1:8 queue: password must not stand in this file",
		"ledger: postgres://u:hunter2@db/r":         "1:9 ledger: put a variable in its place",
		"ledger: postgres://u:x${DB_PASSWORD}@db/r": "1:9 ledger: password must not stand",
		"ledger: postgres://db/r?password=hunter2":  "1:9 ledger: password must not stand",
		"ledger: postgres://db/r?a=b&sslpassword=x": "1:9 ledger: password must not stand",
		"ledger: postgres://u:${NOT_SET}@db/r":      "1:9 ledger: NOT_SET is not set",
		"ledger: ${NOT_SET}":                        "1:9 ledger: NOT_SET is not set",
		"ledger: ${RAW}":                            "1:9 ledger: not percent-encoded",
		"ledger: file:db.url":                       "1:9 ledger: make it",
		"ledger:":                                   "1:9 ledger: must be sqlite or a URL",
	} {
		e := testEnv()
		e["RAW"] = "postgres://u:hunter2/x@db/r"
		t.Run(text, func(t *testing.T) {
			_, err := load(t, text+"\n", e)
			wantFaults(t, err, want)
		})
	}
}

func TestAWholeBackendURLMayComeFromAFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "resetd.yaml"), "ledger: file:db.url\n", 0o600)
	write(t, filepath.Join(dir, "db.url"), "postgres://u:secret@db/r\n", 0o644)
	c, err := config.Load(filepath.Join(dir, "resetd.yaml"), known(), testEnv().lookup)
	if err != nil || c.Ledger.URL.Reveal() != "postgres://u:secret@db/r" {
		t.Fatalf("%v, %v", c, err)
	}
	if w := c.Warnings(); len(w) != 1 || w[0].Path != "ledger" {
		t.Fatalf("warnings: %v", w)
	}
}
