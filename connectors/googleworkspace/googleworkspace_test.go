package googleworkspace_test

import (
	"testing"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/googleworkspace"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, harness(t, marked))
}

// Without the proof attribute all is the same but one thing: nobody can tell whether a reset without an answer was made.
func TestConformanceWithoutProofAttribute(t *testing.T) {
	t.Parallel()
	h := harness(t, func(*googleworkspace.Config) {})
	h.AnswerLost = nil
	h.Lacks["AnswerLost"] = "Google keeps no record of a password's age; what happens instead is in TestLostAnswer…"
	conformance.Run(t, h)
}

// Nor does it matter how it is found out who signs in.
func TestConformanceWhereTheSignInIsDetected(t *testing.T) {
	t.Parallel()
	conformance.Run(t, harness(t, func(c *googleworkspace.Config) {
		marked(c)
		detecting(c)
	}))
}
