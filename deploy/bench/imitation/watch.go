package imitation

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// Report is what an imitation saw, from its opening to its closing.
type Report struct {
	Calls int `json:"calls"` // all calls that would go to a real system
	// Worst is the largest number of calls in any second, and Violations how many calls came although the second before them
	// held as many as the limit allows.
	Worst      int `json:"worst"`
	Violations int `json:"violations"`
	Accounts   int `json:"accounts"` // that were reset
	Doubled    int `json:"doubled"`  // that were reset more than once
	// First and Last are when the calls came.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// watch counts calls in every sliding second.
type watch struct {
	limit int

	mu     sync.Mutex
	report Report
	at     []time.Time // of the calls of the last second
}

// call notes one, at this moment.
func (w *watch) call() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	r := &w.report
	if r.Calls++; r.Calls == 1 {
		r.First = now
	}
	r.Last = now
	old := 0
	for old < len(w.at) && now.Sub(w.at[old]) >= time.Second {
		old++
	}
	w.at = append(w.at[old:], now)
	r.Worst = max(r.Worst, len(w.at))
	if w.limit > 0 && len(w.at) > w.limit {
		r.Violations++
	}
}

// save writes the report with what became of the accounts.
func (w *watch) save(file string, resets map[string]int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range resets {
		w.report.Accounts++
		if n > 1 {
			w.report.Doubled++
		}
	}
	text, err := json.Marshal(w.report)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
