package source_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

func config(name string, keys ...signature.Key) source.Config {
	c := source.Config{Name: name, Preset: "native"}
	for _, k := range keys {
		c.Keys = append(c.Keys, schemas.NewSecret(k.Reveal()))
	}
	return c
}

func TestWrongConfigurationIsRefusedWithTheNameOfTheSource(t *testing.T) {
	k := signature.GenerateSymmetric()
	with := func(change func(*source.Config)) []source.Config {
		c := config("soar", k)
		change(&c)
		return []source.Config{c}
	}
	for want, configs := range map[string][]source.Config{
		"begins and ends":        with(func(c *source.Config) { c.Name = "So ar" }),
		"kept for":               with(func(c *source.Config) { c.Name = source.API }),
		"no preset":              with(func(c *source.Config) { c.Preset = "nativ" }),
		"no verification scheme": with(func(c *source.Config) { c.Scheme = "hope" }),
		"no key":                 with(func(c *source.Config) { c.Keys = nil }),
		"key 2: ":                with(func(c *source.Config) { c.Keys = append(c.Keys, schemas.NewSecret("whsec_c2hvcnQ=")) }),
		"tolerance":              with(func(c *source.Config) { c.Tolerance = time.Millisecond }),
		"is taken":               {config("soar", k), config("soar", signature.GenerateSymmetric())},
		"replayed":               {config("soar", k), config("siem", signature.GenerateSymmetric(), k)},
	} {
		_, err := source.New(configs, schemas.NewValidator())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "(\""+configs[len(configs)-1].Name+"\")") {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if strings.Contains(err.Error(), strings.TrimPrefix(k.Reveal(), "whsec_")) || strings.Contains(err.Error(), "c2hvcnQ=") {
			t.Errorf("%s: the error shows a key", want)
		}
	}
	if _, err := source.New(nil, nil); err == nil {
		t.Error("no validator was taken")
	}
}

// A private key verifies as its public half does, so both are one key.
func TestPublicHalfOfAnotherSourcesKeyIsRefused(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	_, err := source.New([]source.Config{config("a", private), config("b", public)}, schemas.NewValidator())
	if err == nil || !strings.Contains(err.Error(), "replayed") {
		t.Fatal(err)
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	_, err := source.New([]source.Config{config("a"), config("b"), config("c!", signature.GenerateSymmetric())}, schemas.NewValidator())
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatal(err)
	}
}

func TestSetKnowsItsNames(t *testing.T) {
	set, err := source.New([]source.Config{config("siem", signature.GenerateSymmetric()), config("backup", signature.GenerateSymmetric())}, schemas.NewValidator())
	if err != nil || !slices.Equal(set.Names(), []string{"backup", "siem"}) {
		t.Fatal(err, set.Names())
	}
	if s, known := set.Find("siem"); !known || s.Name != "siem" || s.Scheme != "standard-webhooks" {
		t.Fatalf("%+v", s)
	}
}

func TestToleranceOfTheConfigurationCounts(t *testing.T) {
	k := signature.GenerateSymmetric()
	c := config("soar", k)
	c.Tolerance = 10 * time.Second
	set, err := source.New([]source.Config{c}, schemas.NewValidator())
	if err != nil {
		t.Fatal(err)
	}
	s, _ := set.Find("soar")
	now := time.Unix(1795330800, 0)
	headers, err := signature.Sign([]signature.Key{k}, "msg_1", now.Add(-11*time.Second), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := map[string][]string{}
	headers.Set(h)
	if _, err := s.Verify(h, nil, now); err == nil {
		t.Fatal("a delivery beyond the tolerance verifies")
	}
	if _, err := s.Verify(h, nil, now.Add(-2*time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestPointersIntoTheListBecomePointersIntoTheBody(t *testing.T) {
	batch := source.Mapped{Root: "/data"}
	single := source.Mapped{Root: "/data", Single: true}
	plain := source.Mapped{Single: true}
	for _, c := range []struct {
		m        source.Mapped
		in, want string
	}{
		{batch, "/3/systems/0", "/data/3/systems/0"}, {batch, "/3", "/data/3"}, {batch, "", "/data"},
		{single, "/0/systems/0", "/data/systems/0"}, {single, "/0", "/data"}, {single, "", "/data"},
		{plain, "/0/systems/0", "/systems/0"}, {plain, "/0", ""}, {plain, "", ""},
	} {
		if got := c.m.Pointer(c.in); got != c.want {
			t.Errorf("%+v %q: got %q, want %q", c.m, c.in, got, c.want)
		}
	}
}
