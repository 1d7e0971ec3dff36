package ldap389

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestJudge(t *testing.T) {
	early, late := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 7, 0, 5, 0, time.UTC)
	strict, lax, unknown := policy{state: policyStrict}, policy{state: policyLax, why: "off"}, policy{state: policyUnknown}
	untimed := policy{state: policyStrict, untimed: true}
	before := schemas.Evidence{PasswordChangedAt: early, Marker: "1"}
	marked := schemas.Evidence{PasswordChangedAt: early, Marker: "1", MustChange: true}
	for name, one := range map[string]struct {
		now     schemas.Evidence
		reset   bool
		since   schemas.Evidence
		policy  policy
		state   schemas.ProofState
		code    schemas.Code
		changed bool
	}{
		"untouched":                         {before, false, before, strict, schemas.ProofNotEnforced, "", false},
		"reset":                             {schemas.Evidence{PasswordChangedAt: late, Marker: "2", MustChange: true}, true, before, strict, schemas.ProofEnforced, "", true},
		"reset under a lax policy":          {schemas.Evidence{PasswordChangedAt: late, Marker: "2", MustChange: true}, true, before, lax, schemas.ProofNotEnforced, schemas.CodeUnenforced, true},
		"reset, seen by the server's mark":  {schemas.Evidence{PasswordChangedAt: late, Marker: "2", MustChange: true}, true, before, unknown, schemas.ProofEnforced, "", true},
		"marked under an unknown policy":    {schemas.Evidence{PasswordChangedAt: early, Marker: "2", MustChange: true}, false, before, unknown, schemas.ProofUnknown, "", false},
		"marked":                            {schemas.Evidence{PasswordChangedAt: early, Marker: "2", MustChange: true}, false, before, strict, schemas.ProofEnforced, "", false},
		"marked before":                     {marked, false, marked, strict, schemas.ProofNotEnforced, "", false},
		"marked again":                      {schemas.Evidence{PasswordChangedAt: early, Marker: "2", MustChange: true}, false, marked, strict, schemas.ProofEnforced, "", false},
		"set, not marked":                   {schemas.Evidence{PasswordChangedAt: late, Marker: "2"}, false, before, strict, schemas.ProofNotEnforced, "", true},
		"reset where no time is noted":      {schemas.Evidence{Marker: "2", MustChange: true}, true, schemas.Evidence{Marker: "1"}, untimed, schemas.ProofEnforced, "", true},
		"marked where no time is noted":     {schemas.Evidence{Marker: "2", MustChange: true}, false, schemas.Evidence{Marker: "1"}, untimed, schemas.ProofEnforced, "", false},
		"the time of the password vanished": {schemas.Evidence{Marker: "2", MustChange: true}, false, before, strict, schemas.ProofEnforced, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(account{evidence: one.now, reset: one.reset}, one.since, one.policy)
			if got.State != one.state || got.Code != one.code || got.Changed != one.changed || got.Detail == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What is sent names the same entry as what was compared.
func TestWrittenNameIsTheSameName(t *testing.T) {
	for _, text := range []string{`uid=jdoe,ou=People,dc=example,dc=com`, `uid=O'Neill\2c \22Tip\22 \3c#\2b\3b\3d\3e,dc=com`, `cn=\20lead+uid=trail\20,dc=com`,
		`uid=\23hash\5c,dc=com`, `uid=žluťoučký,dc=com`, `uid=*)(x=*,dc=com`} {
		dn, err := ldap.ParseDN(text)
		if err != nil {
			t.Fatal(err)
		}
		out := written(dn)
		again, err := ldap.ParseDN(out)
		if err != nil || !again.Equal(dn) {
			t.Errorf("%s became %s, %v", text, out, err)
		}
		if strings.ContainsAny(strings.ReplaceAll(out, `\`, ""), `"<>;#*()`) {
			t.Errorf("%s became %s, with characters that need an escape", text, out)
		}
	}
}

func TestEveryMistakeInTheSettingsIsTold(t *testing.T) {
	good := func() *Config {
		c := Kind().New().(*Config)
		c.URL, c.BindDN, c.BaseDN, c.Password = "ldaps://ds.example.com", "uid=resetd,dc=example,dc=com", "dc=example,dc=com", schemas.NewSecret("secret")
		return c
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"url":            func(c *Config) { c.URL = "http://ds.example.com" },
		"urls":           func(c *Config) { c.URLs = []string{"ldaps://ds2.example.com"} },
		"bind_dn":        func(c *Config) { c.BindDN = "resetd" },
		"base_dn":        func(c *Config) { c.BaseDN = "" },
		"password":       func(c *Config) { c.Password = schemas.Secret{} },
		"user_filter":    func(c *Config) { c.UserFilter = "objectClass=person)" },
		"uid_attribute":  func(c *Config) { c.UIDAttribute = "uid)(x" },
		"mail_attribute": func(c *Config) { c.MailAttribute = "" },
		"probe_dn":       func(c *Config) { c.ProbeDN = "uid=canary,dc=example,dc=org" },
		"timeout":        func(c *Config) { c.Timeout = time.Millisecond },
		"pool":           func(c *Config) { c.Pool = 0 },
	} {
		c := good()
		spoil(c)
		err := c.Validate()
		if e, ok := errors.AsType[*connectors.ConfigError](err); !ok || e.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
	c := good()
	c.URL, c.BaseDN, c.Pool = "", "x", 1000
	joined, ok := c.Validate().(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("three mistakes: %v", c.Validate())
	}
}
