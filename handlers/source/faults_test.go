package source_test

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// told gives what is wrong with some sources, a line for each fault.
func told(list ...source.Config) string {
	_, err := source.New(list, schemas.NewValidator(), verify.Options{})
	if err == nil {
		return ""
	}
	return err.Error()
}

func withKeys(name string, keys ...string) source.Config {
	c := source.Config{Name: name, Preset: "native"}
	for _, k := range keys {
		c.Profile.Verify.Keys = append(c.Profile.Verify.Keys, schemas.NewSecret(k))
	}
	return c
}

func TestOneFaultIsToldOnce(t *testing.T) {
	key := signature.GenerateSymmetric().Reveal()
	private, public := signature.GenerateAsymmetric()
	for name, c := range map[string]struct {
		list []source.Config
		want string
	}{
		"a key twice":                  {[]source.Config{withKeys("a", key, key)}, "sources[0].verify.keys[1]: "},
		"both halves of a pair":        {[]source.Config{withKeys("a", private.Reveal(), public.Reveal())}, "sources[0].verify.keys"},
		"two sources with one key":     {[]source.Config{withKeys("a", key), withKeys("b", key)}, "sources[1].verify.keys[0]: source a has the same key"},
		"two sources with a pair":      {[]source.Config{withKeys("a", private.Reveal()), withKeys("b", public.Reveal())}, "sources[1].verify.keys[0]: source a has the same key"},
		"a key that is empty":          {[]source.Config{withKeys("a", "")}, "sources[0].verify.keys[0]: "},
		"one name for two sources":     {[]source.Config{withKeys("a", key), withKeys("a", signature.GenerateSymmetric().Reveal())}, "sources[1].name: "},
		"one name, the first is wrong": {[]source.Config{hmacSource("{body}", func(c *source.Config) { c.Name = "a"; c.Profile.Handshake = []string{"x"} }), withKeys("a", key)}, "sources[1].name: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := told(c.list...)
			lines := strings.Split(got, "\n")
			if name == "one name, the first is wrong" {
				lines = lines[1:]
			}
			if len(lines) != 1 || !strings.HasPrefix(lines[0], c.want) {
				t.Errorf("%s", got)
			}
		})
	}
	if got := told(withKeys("a", ""), withKeys("b", "")); strings.Contains(got, "same key") {
		t.Errorf("two secrets that are missing are called one: %s", got)
	}
}

// What stands under a field that has upper-case letters or digits in its name is told with its place too.
func TestFaultsHaveTheirPlace(t *testing.T) {
	c := source.Config{Name: "a", Preset: "ssf", Profile: sender.Profile{Verify: sender.Verify{Token: sender.Token{
		Issuer: "https://t.example.com", Audience: []string{"resetd"}, Claims: map[string]string{"aud": "x"}}}}}
	if got := told(c); !strings.HasPrefix(got, "sources[0].verify.token.claims.aud: ") {
		t.Error(got)
	}
}
