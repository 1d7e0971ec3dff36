package main

import (
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// Redis only wakes: resets and callbacks go on while a real one is dead or hangs, and afterwards.
func TestEndToEndResetsGoOnWhileRedisIsDeadOrHangs(t *testing.T) {
	server := testserver.Redis(t)
	s := play(t, func(o *harness.SiteOptions) { o.Queue = server.URL })
	expect := func(id, account string) {
		t.Helper()
		task := s.ask(id, account)[0]
		if task.Status != schemas.StatusSuccessful {
			t.Fatalf("%s ends as %s %s: %s", account, task.Status, task.Code, task.Detail)
		}
		s.told(task)
	}
	expect("msg_before", testserver.BulkUID(1))
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := 2; i <= 6; i++ {
		expect("msg_"+testserver.BulkUID(i), testserver.BulkUID(i))
	}
	t.Logf("five resets without Redis took %s", time.Since(began))
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	expect("msg_after", testserver.BulkUID(7))
	if err := server.Pause(); err != nil { // it hangs instead of refusing
		t.Fatal(err)
	}
	expect("msg_hanging", testserver.BulkUID(8))
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
}
