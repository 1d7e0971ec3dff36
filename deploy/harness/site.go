package harness

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/resetd/resetd/schemas/signature"
)

// Site is one installation of resetd in a folder: its configuration, its secrets and its data.
type Site struct {
	Dir         string
	Listen      string // host:port
	Source      string // the one source's name
	Key         signature.Key
	CallbackKey signature.Key
	OpsToken    string
	AdminToken  string
	Secrets     map[string]string // by file name, for tests that look for leaks
	Env         []string          // more environment for the process, as NAME=value
	TLS         *tls.Config       // how a client speaks to it; nil for plain HTTP
}

// SiteOptions says what the installation is like; the zero value of Ledger and Queue is the embedded default.
type SiteOptions struct {
	Ledger, Queue string
	CallbackURL   string // told at the end of every task; empty for none
	// Systems is the YAML list under systems:, with "file:NAME" for secrets given in Secrets.
	Systems string
	Names   []string // the systems that the source may act on
	Secrets map[string]string
	Extra   string // more top-level YAML
	// Sources is the YAML list of further sources, indented by two spaces.
	Sources string
	// TLS has resetd speak TLS itself, with a certificate of its own for 127.0.0.1.
	TLS bool
	// Coalesce is what the configuration says of the one source: a duration, or off; empty for the default.
	Coalesce string
}

// NewSite writes a configuration with fresh keys into dir and picks a free port.
func NewSite(dir string, o SiteOptions) (*Site, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	s := &Site{Dir: dir, Listen: listener.Addr().String(), Source: "soar", Key: signature.GenerateSymmetric(),
		CallbackKey: signature.GenerateSymmetric(), OpsToken: "ops-" + uuid.NewString(), AdminToken: "root-" + uuid.NewString(), Secrets: map[string]string{}}
	_ = listener.Close()
	s.Secrets["soar.key"], s.Secrets["callback.key"], s.Secrets["ops.token"] = s.Key.Reveal(), s.CallbackKey.Reveal(), s.OpsToken
	s.Secrets["admin.token"] = s.AdminToken
	for name, text := range o.Secrets {
		s.Secrets[name] = text
	}
	// A URL may hold a password, which the configuration takes from a file only.
	if o.Ledger != "" && o.Ledger != "sqlite" {
		s.Secrets["ledger.url"], o.Ledger = o.Ledger, "file:ledger.url"
	}
	if o.Queue != "" && o.Queue != "embedded" {
		s.Secrets["queue.url"], o.Queue = o.Queue, "file:queue.url"
	}
	for name, text := range s.Secrets {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	if o.TLS {
		if err := s.certify(); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(s.ConfigFile(), []byte(s.yaml(o)), 0o600); err != nil {
		return nil, err
	}
	return s, nil
}

// ConfigFile is the path of the configuration.
func (s *Site) ConfigFile() string { return filepath.Join(s.Dir, "resetd.yaml") }

// DataDir is where the ledger lies.
func (s *Site) DataDir() string { return filepath.Join(s.Dir, "data") }

// URL is where the installation answers.
func (s *Site) URL() string {
	if s.TLS != nil {
		return "https://" + s.Listen
	}
	return "http://" + s.Listen
}

func (s *Site) yaml(o SiteOptions) string {
	or := func(v, def string) string {
		if v == "" {
			return def
		}
		return v
	}
	var b strings.Builder
	fmt.Fprintf(&b, "listen: %s\npublic_url: %s\ndata_dir: ./data\nledger: %q\nqueue: %q\n", s.Listen, s.URL(), or(o.Ledger, "sqlite"), or(o.Queue, "embedded"))
	fmt.Fprintf(&b, "sources:\n  - name: %s\n    preset: native\n    verify: {scheme: standard-webhooks, keys: [\"file:soar.key\"]}\n    systems: [%s]\n", s.Source, strings.Join(o.Names, ", "))
	if o.CallbackURL != "" {
		fmt.Fprintf(&b, "    callback: {url: %q, key: \"file:callback.key\", events: [final]}\n", o.CallbackURL)
	}
	if o.Coalesce != "" {
		fmt.Fprintf(&b, "    coalesce: %s\n", o.Coalesce)
	}
	b.WriteString(o.Sources)
	if s.TLS != nil {
		b.WriteString("tls: {certificate: tls.pem, key: tls.key}\n")
	}
	fmt.Fprintf(&b, "systems:\n%s\napi: {tokens: [{name: ops, role: operator, token: \"file:ops.token\"}, {name: root, role: admin, token: \"file:admin.token\"}]}\ncallbacks: {allow_private_networks: true}\n%s", o.Systems, o.Extra)
	return b.String()
}
