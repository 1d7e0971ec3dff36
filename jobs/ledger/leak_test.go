package ledger

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestAClosedLedgerLeavesNothingBehind(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		use := func() {
			l := p.open(t)
			owed(t, l, epoch)
			if _, err := l.Search(t.Context(), schemas.TaskQuery{Q: "jdoe"}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Purge(t.Context(), farAway, 10); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		use() // what is made once in a process is made now
		routines, files := runtime.NumGoroutine(), openFiles(t)
		for range 5 {
			use()
		}
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			moreRoutines, moreFiles := runtime.NumGoroutine()-routines, openFiles(t)-files
			if moreRoutines <= 0 && moreFiles <= 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines and %d files are left", moreRoutines, moreFiles)
			}
		}
	})
}

// openFiles counts the open files of this process; it is always 0 where that cannot be told.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
