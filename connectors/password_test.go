package connectors

import (
	"strings"
	"testing"
)

func TestPasswordsUseEveryCharacterEvenly(t *testing.T) {
	alphabet := strings.Join(passwordClasses[:], "")
	if len(alphabet) != 64 || strings.ContainsAny(alphabet, "\"'\\ {}$`<>&|;*?()#,") {
		t.Fatalf("the alphabet %q has %d characters or one with a meaning elsewhere", alphabet, len(alphabet))
	}
	count := map[rune]int{}
	const n = 4000
	for range n {
		p := NewPassword(0, 0).Reveal()
		if len(p) != usualLength || !diverse([]byte(p)) {
			t.Fatalf("password of %d characters, all classes: %t", len(p), diverse([]byte(p)))
		}
		for _, r := range p {
			count[r]++
		}
	}
	// 2,000 of each are expected; a fair draw stays within 300 of that (6 standard deviations and the pull of diverse).
	for _, r := range alphabet {
		if c := count[r]; c < 1700 || c > 2300 {
			t.Errorf("%q was drawn %d times, want about %d", r, c, n*usualLength/64)
		}
	}
}

func TestPasswordLengthFollowsThePolicyWithinReason(t *testing.T) {
	for _, one := range []struct{ min, max, want int }{
		{0, 0, 32}, {8, 0, 32}, {40, 0, 40}, {0, 24, 24}, {0, 100, 32}, {0, 8, 16}, {1 << 20, 0, 256}, {50, 40, 40},
	} {
		if got := len(NewPassword(one.min, one.max).Reveal()); got != one.want {
			t.Errorf("min %d, max %d: %d characters, want %d", one.min, one.max, got, one.want)
		}
	}
}
