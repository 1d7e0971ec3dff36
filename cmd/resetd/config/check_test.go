package config_test

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

// sourceWith is the minimal file with other lines for its source.
func sourceWith(lines ...string) string {
	return "sources:\n  - name: soar\n    " + strings.Join(lines, "\n    ") + "\nsystems:\n  - {name: corp-ldap, kind: openldap}\n"
}

const (
	verify  = `verify: {keys: ["${SOAR_KEY}"]}`
	systems = `systems: [corp-ldap]`
)

func TestSourcesAreChecked(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	e := testEnv()
	e["PRIVATE"], e["PUBLIC"] = private.Reveal(), public.Reveal()
	for text, want := range map[string]string{
		sourceWith(verify):                                                                                          "2:5 sources[0].systems: list is missing",
		sourceWith(verify, "systems: []"):                                                                           "4:14 sources[0].systems: at least 1",
		sourceWith(verify, "systems: [corp-ldap, corp-ldap]"):                                                       "4:14 sources[0].systems: twice",
		sourceWith(systems, "verify: {keys: ['${SOAR_KEY}'], scheme: hmca}"):                                        "4:45 sources[0].verify.scheme: did you mean hmac?",
		sourceWith(systems, "verify: {keys: ['${SOAR_KEY}'], tolerance: 2h}"):                                       "4:48 sources[0].verify.tolerance: at most 1h",
		sourceWith(systems, "verify: {keys: ['${A}','${B}','${C}','${D}','${E}','${F}']}"):                          "4:20 sources[0].verify.keys: at most 5",
		sourceWith(systems, verify, "callback: {url: 'https://a.example/x'}"):                                       "5:15 sources[0].callback.key: always signed",
		sourceWith(systems, verify, "callback: {allow: ['https://a.example/']}"):                                    "5:15 sources[0].callback.key: always signed",
		sourceWith(systems, verify, "callback: {allow: ['https://'], key: '${CALLBACK_KEY}'}"):                      "5:24 sources[0].callback.allow[0]: a whole host",
		sourceWith(systems, verify, "callback: {allow: ['soar.example.com'], key: '${CALLBACK_KEY}'}"):              "5:24 sources[0].callback.allow[0]: a whole host",
		sourceWith(systems, verify, "callback: {url: 'ftp://a/b', key: '${CALLBACK_KEY}'}"):                         "5:21 sources[0].callback.url: must be a URL",
		sourceWith(systems, verify, "callback: {url: 'https://u:p@a/b', key: '${CALLBACK_KEY}'}"):                   "5:21 sources[0].callback.url: must be a URL",
		sourceWith(systems, verify, "callback: {url: 'https://a/b', key: '${PUBLIC}'}"):                             "5:41 sources[0].callback.key: cannot sign",
		sourceWith(systems, verify, "callback: {url: 'https://a/b', keys: ['${PRIVATE}', '${PUBLIC}']}"):            "5:57 sources[0].callback.keys[1]: cannot sign",
		sourceWith(systems, verify, "callback: {url: 'https://a/b', key: '${OPS_TOKEN}'}"):                          "5:41 sources[0].callback.key: whsec_",
		sourceWith(systems, verify, "callback: {url: 'https://a/b', key: '${PRIVATE}', keys: ['${CALLBACK_KEY}']}"): "5:41 sources[0].callback.key: say the same",
		sourceWith(systems, verify, "callback: {url: 'https://a/b', key: '${PRIVATE}', events: [done]}"):            "5:64 sources[0].callback.events[0]: final, queued",
		strings.Replace(minimal, "name: soar", "name: api", 1):                                                      "2:11 sources[0].name: choose another name",
		strings.Replace(minimal, "name: soar", "name: SOAR", 1):                                                     "2:11 sources[0].name: a–z",
		strings.Replace(minimal, "name: soar", "name: ''", 1):                                                       "2:11 sources[0].name: this is empty",
		strings.Replace(minimal, "name: soar", "preset: native", 1):                                                 "2:5 sources[0].name: missing; add it",
	} {
		for _, name := range strings.Split("A B C D E F", " ") {
			e[name] = signature.GenerateSymmetric().Reveal()
		}
		t.Run(text, func(t *testing.T) {
			_, err := load(t, text, e)
			wantFaults(t, err, want)
		})
	}
}

func TestProxiesAndTLSAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"trusted_proxies: [10.0.0.5, proxy.example.com]\n": "8:29 trusted_proxies[1]: must be an address",
		"trusted_proxies: [0.0.0.0/0]\n":                   "8:19 trusted_proxies[0]: anybody could say",
		"trusted_proxies: ['::/0']\n":                      "8:19 trusted_proxies[0]: anybody could say",
		"trusted_proxies: [10.0.0.5/24]\n":                 "8:19 trusted_proxies[0]: write 10.0.0.0/24",
		"trusted_proxies: ['::ffff:10.0.0.0/104']\n":       "8:19 trusted_proxies[0]: write the IPv4 network",
		"trusted_proxies: [10.0.0.5:80]\n":                 "8:19 trusted_proxies[0]: must be an address",
		"tls: {certificate: a.pem}\n":                      "8:6 tls.key: this is missing",
		"tls: {key: a.pem}\n":                              "8:6 tls.certificate: this is missing",
	} {
		_, err := load(t, minimal+text, testEnv())
		wantFaults(t, err, want)
	}
	if _, err := load(t, minimal+"trusted_proxies: [10.0.0.5, '2001:db8::/32', '::ffff:10.0.0.5']\ntls: {certificate: a, key: b}\n", testEnv()); err != nil {
		t.Error(err)
	}
}

func TestUnknownKeyHasAdvice(t *testing.T) {
	_, err := load(t, minimal+"sources2: []\n", testEnv())
	wantFaults(t, err, "8:1 sources2: did you mean sources?")
}

func TestExpressionNeedsNoList(t *testing.T) {
	c, err := load(t, sourceWith(systems, verify, "map: {account: $.user, reference: [$.id, =body.x]}", "ignore_when: [{if: a, why: b}]", "coalesce: off"), testEnv())
	if err != nil {
		t.Fatal(err)
	}
	s := c.Sources[0]
	if len(s.Map.Account) != 1 || s.Map.Account[0] != "$.user" || len(s.Map.Reference) != 2 || s.Profile().IgnoreWhen[0].Why != "b" || s.Coalesce.Value() >= 0 {
		t.Errorf("%+v", s)
	}
}

func TestWindowsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"coalesce: 15":            "5:15 sources[0].coalesce: such as 15m, or off",
		"coalesce: 25h":           "5:15 sources[0].coalesce: from 1s to 24h",
		"map: {account: {a: b}}":  "5:20 sources[0].map.account: a list of texts",
		"map: {account: 7}":       "5:20 sources[0].map.account: a list of texts",
		"limits: {deliveries: 5}": "5:26 sources[0].limits.deliveries: such as 20/s",
		"respond: {status: 201}":  "5:23 sources[0].respond.status: use one of 200, 202, 204",
		"ignore_when: [{if: a}]":  "5:19 sources[0].ignore_when[0].why: missing",
		"max_age: 1s":             "5:14 sources[0].max_age: at least 1m",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := load(t, sourceWith(systems, verify, text), testEnv())
			wantFaults(t, err, want)
		})
	}
}

func TestSystemsAreChecked(t *testing.T) {
	for line, want := range map[string]string{
		"kind: opnldap":                           "3:11 systems[0].kind: did you mean openldap?",
		"kind: novell":                            "3:11 systems[0].kind: there are entra, openldap",
		"rate: 20/s":                              "2:5 systems[0].kind: missing; add it",
		"kind: entra\n    rate: 20 / s":           "4:11 systems[0].rate: such as 20/s",
		"kind: entra\n    rate: 0/s":              "4:11 systems[0].rate: such as 20/s",
		"kind: entra\n    workers: -1":            "4:14 systems[0].workers: at least 1",
		"kind: entra\n    workers: 1.5":           "4:14 systems[0].workers: whole number",
		"kind: entra\n    workers: '3'":           "4:14 systems[0].workers: whole number",
		"kind: entra\n    timeout: 100ms":         "4:14 systems[0].timeout: at least 1s",
		"kind: entra\n    timeout: 1d":            "4:14 systems[0].timeout: at most 10m",
		"kind: entra\n    timeout: soon":          "4:14 systems[0].timeout: such as 500ms",
		"kind: entra\n    enforcment: granted":    "4:5 systems[0].enforcment: did you mean enforcement?",
		"kind: entra\n  - {name: a, kind: entra}": "4:12 systems[1].name: another system, in line 2",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := load(t, "systems:\n  - name: a\n    "+line+"\n", testEnv())
			wantFaults(t, err, want)
		})
	}
}

func TestTheRestIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"listen: localhost":                  "1:9 listen: HOST:PORT",
		"listen: localhost:http":             "1:9 listen: HOST:PORT",
		"listen: ':70000'":                   "1:9 listen: HOST:PORT",
		"listen: 8080":                       "1:9 listen: HOST:PORT",
		"listen: ''":                         "1:9 listen: this is empty",
		"public_url: resetd.example.com":     "1:13 public_url: such as https://",
		"public_url: https://a.example/?b=c": "1:13 public_url: such as https://",
		"data_dir: 7":                        "1:11 data_dir: must be text; write it in quotes",
		"data_dir: ''":                       "1:11 data_dir: this is empty",
		"retention: {tasks: 1h}":             "1:20 retention.tasks: at least 24h",
		"log: {format: xml}":                 "1:15 log.format: json, console",
		"api: {tokens: [{name: a, role: root, token: '${OPS_TOKEN}'}]}":                                                 "1:32 api.tokens[0].role: viewer, operator, approver, admin",
		"api: {tokens: [{name: a, token: '${OPS_TOKEN}'}]}":                                                             "1:16 api.tokens[0].role: missing",
		"api: {tokens: [{name: a, role: admin}]}":                                                                       "1:16 api.tokens[0].token: ${A_TOKEN} or file:PATH",
		"api: {tokens: [{name: a, role: admin, token: '${OPS_TOKEN}'}, {name: b, role: admin, token: '${OPS_TOKEN}'}]}": "1:93 api.tokens[1].token: api.tokens[0] is the same token",
		"api: {tokens: [{name: a, role: admin, token: '${OPS_TOKEN}'}, {name: a, role: admin, token: '${SOAR_KEY}'}]}":  "1:70 api.tokens[1].name: another token, in line 1",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := load(t, text+"\n", testEnv())
			wantFaults(t, err, want)
		})
	}
}

func TestAKeyThatSignsNothingIsWarnedOf(t *testing.T) {
	c := mustLoad(t, sourceWith(systems, verify, "callback: {key: '${CALLBACK_KEY}'}"))
	if w := c.Warnings(); len(w) != 1 || w[0].Path != "sources[0].callback" {
		t.Fatalf("got %v", w)
	}
}

func TestWithoutListsNothingIsUnknown(t *testing.T) {
	_, err := config.Parse("x.yaml", []byte(strings.ReplaceAll(minimal, "openldap", "anything")), config.Known{}, testEnv().lookup)
	if err != nil {
		t.Fatal(err)
	}
}

func TestAListenerOnEveryAddressIsReachedByLoopback(t *testing.T) {
	for listen, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:1": "http://127.0.0.1:1", "'[::]:1'": "http://127.0.0.1:1",
		"resetd.example.com:80": "http://resetd.example.com:80", "'[::1]:1'": "http://[::1]:1",
	} {
		if c := mustLoad(t, "listen: "+listen+"\n"); c.LocalURL() != want || c.PublicURL != want {
			t.Errorf("%s: %s, %s", listen, c.LocalURL(), c.PublicURL)
		}
	}
}
