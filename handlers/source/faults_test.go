package source_test

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// A secret out of a documentation opens the source to everybody who can read.
func TestSecretsThatEverybodyKnowsAreRefused(t *testing.T) {
	for preset, key := range map[string]string{
		"zendesk":    "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",
		"slack":      "8f742231b10e8888abcd99yyyzzz85a5",
		"jira-cloud": "It's a Secret to Everybody",
	} {
		_, err := source.New([]source.Config{{Name: "sender", Preset: preset, Profile: profile(t, nil, "0123456789abcdef0123", key)}}, schemas.NewValidator(), verify.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "sources[0].verify.keys[1]: this secret is no secret") || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", preset, err)
		}
	}
}
