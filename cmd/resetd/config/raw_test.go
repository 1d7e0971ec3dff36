package config_test

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// settings has one field of everything that a kind of system may want to read.
type settings struct {
	URL      string            `yaml:"url" validate:"required,url"`
	Password schemas.Secret    `yaml:"password" validate:"required"`
	Key      signature.Key     `yaml:"key"`
	CA       string            `yaml:"tls_ca" path:"file"`
	StartTLS bool              `yaml:"start_tls"`
	Pages    int               `yaml:"pages" validate:"min=1,max=100"`
	Small    *int8             `yaml:"small"`
	Wait     time.Duration     `yaml:"wait"`
	Address  netip.Addr        `yaml:"address"`
	Bases    []string          `yaml:"bases" validate:"dive,required"`
	Extra    map[string]string `yaml:"extra"`
	Pool     struct {
		Size int `yaml:"size" validate:"min=0"`
	} `yaml:"pool"`
	Secrets map[string]schemas.Secret `yaml:"secrets"`
	Hidden  string                    `yaml:"-"`
	Own     string
}

func system(t *testing.T, lines string) config.System {
	t.Helper()
	return mustLoad(t, "systems:\n  - name: corp-ldap\n    kind: openldap\n"+lines).Systems[0]
}

func TestASystemsSettingsAreReadIntoItsOwnType(t *testing.T) {
	s := system(t, `    config:
      url: ldaps://ldap.example.com
      password: ${LDAP_PASSWORD}
      key: ${SOAR_KEY}
      tls_ca: pki/ca.pem
      start_tls: true
      small: 7
      wait: 1d12h
      address: 127.0.0.1
      bases: [a, "b", c=d]
      extra: {one: "1", two: "${HOST}"}
      pool: {size: 3}
      secrets: {a: "${OPS_TOKEN}"}
`)
	into := settings{Pages: 50, Own: "kept"}
	if err := s.Config.Decode(&into); err != nil {
		t.Fatal(err)
	}
	e := testEnv()
	switch {
	case into.URL != "ldaps://ldap.example.com", into.Password.Reveal() != e["LDAP_PASSWORD"], into.Key.IsZero(),
		!filepath.IsAbs(into.CA), !strings.HasSuffix(into.CA, "/pki/ca.pem"), !into.StartTLS, *into.Small != 7,
		into.Wait != 36*time.Hour, into.Address != netip.MustParseAddr("127.0.0.1"), into.Pool.Size != 3,
		!reflect.DeepEqual(into.Bases, []string{"a", "b", "c=d"}), into.Extra["two"] != "db.internal",
		into.Secrets["a"].Reveal() != e["OPS_TOKEN"]:
		t.Fatalf("got %+v", into)
	case into.Pages != 50 || into.Own != "kept":
		t.Fatalf("what stood there before is gone: %+v", into)
	}
}

func TestMistakesInSettingsPointIntoTheFile(t *testing.T) {
	s := system(t, `    config:
      urll: x
      password: hunter2hunter2
      key: ${LDAP_PASSWORD}
      small: 300
      address: nowhere
      bases: [a, ""]
      extra: {one: 1}
      pool: {size: -1, colour: red}
      pages: 101
`)
	into := settings{}
	wantFaults(t, s.Config.Decode(&into),
		"5:7 systems[0].config.urll: did you mean url?",
		"5:7 systems[0].config.url: missing; add it",
		"6:17 systems[0].config.password: ${CORP_LDAP_PASSWORD}",
		"7:12 systems[0].config.key: whsec_",
		"8:14 systems[0].config.small: whole number",
		"9:16 systems[0].config.address: nowhere",
		"10:18 systems[0].config.bases[1]: this is empty",
		"11:20 systems[0].config.extra.one: must be text",
		"12:20 systems[0].config.pool.size: at least 0",
		"12:24 systems[0].config.pool.colour: the keys here are size",
		"13:14 systems[0].config.pages: at most 100",
	)
}

func TestMissingSettingsPointAtTheirSystem(t *testing.T) {
	for _, lines := range []string{"", "    config:\n", "    config: {}\n"} {
		into := settings{Pages: 1}
		err := system(t, lines).Config.Decode(&into)
		var fs config.Faults
		if !errors.As(err, &fs) || len(fs) != 2 || fs[0].Line < 2 || fs[0].Line > 4 {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestWhatTheReaderFindsWrongPointsIntoTheFileToo(t *testing.T) {
	s := system(t, "    config:\n      url: https://a\n      password: ${LDAP_PASSWORD}\n      tls_ca: ca.pem\n      pool: {size: 1}\n")
	if err := s.Config.Decode(&settings{Pages: 1}); err != nil {
		t.Fatal(err)
	}
	var fs config.Faults
	for _, key := range []string{"tls_ca", "pool.size", "base_dn"} {
		fs = append(fs, s.Config.Fault(key, "wrong"))
	}
	wantFaults(t, fs, "7:15 systems[0].config.tls_ca: wrong", "8:20 systems[0].config.pool.size: wrong", "5:7 systems[0].config.base_dn: wrong")
	wantFaults(t, config.Faults{system(t, "").Config.Fault("url", "missing")}, "2:5 systems[0].config.url: missing")
	wantFaults(t, config.Faults{(config.Raw{}).Fault("url", "missing")}, "0:0 url: missing")
}

func TestSettingsAreDecodedIntoAPointerToAStruct(t *testing.T) {
	for _, into := range []any{nil, settings{}, (*settings)(nil), new(string), map[string]string{}} {
		if err := system(t, "").Config.Decode(into); err == nil {
			t.Errorf("%T was taken", into)
		}
	}
	into := settings{}
	if err := (config.Raw{}).Decode(&into); err == nil {
		t.Error("no settings at all broke no rule")
	}
}

func TestFaultsOfSeveralSystemsBecomeOneList(t *testing.T) {
	c := mustLoad(t, `systems:
  - {name: a, kind: entra, config: {urll: x}}
  - {name: b, kind: entra, config: {url: "https://a", password: x}}
`)
	var errs []error
	for i := len(c.Systems) - 1; i >= 0; i-- {
		errs = append(errs, fmt.Errorf("system %s: %w", c.Systems[i].Name, c.Systems[i].Config.Decode(&settings{Pages: 1})))
	}
	wantFaults(t, config.Join(append(errs, nil)...),
		"2:36 systems[0].config.url: missing",
		"2:36 systems[0].config.password: ${A_PASSWORD}",
		"2:37 systems[0].config.urll: did you mean url?",
		"3:65 systems[1].config.password: ${B_PASSWORD}",
	)
	other := errors.New("no route")
	if err := config.Join(errs[0], other); !errors.Is(err, other) || !errors.As(err, new(config.Faults)) {
		t.Errorf("something is lost: %v", err)
	}
	if err := config.Join(nil, other); err == nil || errors.As(err, new(config.Faults)) || !errors.Is(err, other) {
		t.Errorf("got %v", err)
	}
	if err := config.Join(nil, nil); err != nil {
		t.Errorf("got %v", err)
	}
}
