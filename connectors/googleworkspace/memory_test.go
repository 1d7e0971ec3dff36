package googleworkspace

import (
	"fmt"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func reads(marker string) schemas.Evidence { return schemas.Evidence{MustChange: true, Marker: marker} }

func TestMemoryCountsWhatWasAcknowledgedAfterAReading(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Now)
	m.handed("1", reads("a"))
	if demanded, set := m.since("1", reads("a")); demanded || set {
		t.Error("something is remembered before it happened")
	}
	m.acknowledged("1", false)
	if demanded, set := m.since("1", reads("a")); !demanded || set {
		t.Errorf("a demand alone: %t, %t", demanded, set)
	}
	m.acknowledged("1", true)
	for evidence, want := range map[string]bool{"a": true, "never handed out": false} {
		if demanded, set := m.since("1", reads(evidence)); demanded != want || set != want {
			t.Errorf("%s: %t, %t, want %t", evidence, demanded, set, want)
		}
	}
	if _, set := m.since("2", reads("a")); set {
		t.Error("another account is mixed up with it")
	}
	m.handed("1", reads("a")) // read again, and nothing has moved
	if demanded, set := m.since("1", reads("a")); demanded || set {
		t.Error("what was acknowledged before the last reading counts as newer")
	}
}

func TestMemoryEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	m := newMemory(func() time.Time { return now })
	m.handed("1", reads("a"))
	m.acknowledged("1", true)
	for i := range 2 * memoryDepth {
		m.handed("2", reads(fmt.Sprint(i)))
	}
	if n := len(m.accounts["2"].readings); n != memoryDepth {
		t.Errorf("%d readings are kept, want %d", n, memoryDepth)
	}
	now = now.Add(memoryLife + memorySweep)
	m.handed("3", reads("a"))
	if _, set := m.since("1", reads("a")); set || len(m.accounts) != 1 {
		t.Errorf("%d accounts are remembered, want the last one", len(m.accounts))
	}
}
