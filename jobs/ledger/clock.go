package ledger

import (
	"context"
	"fmt"
	"time"
)

// Clock gives the clock by which leases and due times are to be reckoned. It never jumps while the process lives: it is
// a moment plus the time that has passed since by the monotonic clock. On PostgreSQL, which several processes share, that
// moment is the server's, so that all of them mean the same by now, whatever their own clocks say.
func (l *Ledger) Clock(ctx context.Context) (func() time.Time, error) {
	began := time.Now()
	base := began
	if l.db.shared {
		if err := l.read.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&base); err != nil {
			return nil, fmt.Errorf("ledger: read the server's clock: %w", err)
		}
		began = began.Add(time.Since(began) / 2) // it was read about half way
	}
	base = base.Round(0).UTC()
	return func() time.Time { return base.Add(time.Since(began)) }, nil
}
