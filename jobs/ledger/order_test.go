package ledger

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/resetd/resetd/jobs"
)

// Rows that another replica may insert at the same time are inserted in one order.
func TestWhatReplicasMayBothInsertIsInOneOrder(t *testing.T) {
	b := newBatch(t.Context(), nil, newFound())
	for i := range 64 {
		d := newIdem("source", fmt.Sprint(i), 0)
		b.led[jobs.Subject(d)] = &taskRow{n: int64(i)}
		b.seen[digest(d)] = &bodyRow{n: int64(i)}
	}
	c, err := b.finish(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, statement := range map[string]int{"leaders": insertLeader, "bodies": insertBody} {
		width, args := len(statements[statement].columns), c[statement]
		if len(args) != 64*width {
			t.Fatalf("%s: %d arguments", name, len(args))
		}
		for i := width; i < len(args); i += width {
			if bytes.Compare(args[i-width].([]byte), args[i].([]byte)) >= 0 {
				t.Fatalf("%s: row %d is out of order", name, i/width)
			}
		}
	}
}
