package demo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/resetd/resetd/schemas/signature"
)

// Site is everything that the demo needs around resetd: the directory, the receiver, fresh keys, and a configuration.
type Site struct {
	Dir       string // holds the configuration, the keys and the ledger; removed by Close
	Config    string // the configuration file
	Listen    string
	Key       signature.Key // of the source demo
	Token     string        // of an operator
	Directory *Directory
	Receiver  *Receiver
}

// Names in the demo's configuration.
const (
	Source = "demo"
	System = "demo-ldap"
)

// NewSite starts the company and writes the configuration.
func NewSite() (_ *Site, err error) {
	s := &Site{Key: signature.GenerateSymmetric(), Token: rand.Text()}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.Dir, err = os.MkdirTemp("", "resetd-demo-"); err != nil {
		return nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	if s.Listen, err = freeAddress(); err != nil {
		return nil, err
	}
	if s.Directory, err = StartDirectory(); err != nil {
		return nil, err
	}
	callbackKey := signature.GenerateSymmetric()
	if s.Receiver, err = StartReceiver(callbackKey); err != nil {
		return nil, err
	}
	s.Config = filepath.Join(s.Dir, "resetd.yaml")
	var all []error
	for name, text := range map[string]string{"demo.key": s.Key.Reveal(), "callback.key": callbackKey.Reveal(), "ops.token": s.Token,
		"ldap.password": s.Directory.ServicePassword, "resetd.yaml": s.yaml()} {
		all = append(all, os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600))
	}
	if err := errors.Join(all...); err != nil {
		return nil, fmt.Errorf("write the demo's configuration: %w", err)
	}
	return s, nil
}

// Close stops the company and removes its folder.
func (s *Site) Close() {
	if s.Receiver != nil {
		s.Receiver.Close()
	}
	if s.Directory != nil && s.Directory.URL != "" {
		s.Directory.Close()
	}
	if s.Dir != "" {
		_ = os.RemoveAll(s.Dir) // it lies in the folder for temporary files
	}
}

func (s *Site) yaml() string {
	return fmt.Sprintf(`listen: %s
data_dir: ./data
sources:
  - name: %s
    verify: {scheme: standard-webhooks, keys: ["file:demo.key"]}
    systems: [%s]
    callback: {url: %q, key: "file:callback.key", events: [final]}
systems:
  - name: %s
    kind: openldap
    enforcement: granted
    # Plain LDAP is taken here because the directory is part of the demo and listens on loopback only.
    config: {url: %q, allow_plaintext: true, bind_dn: %q, password: "file:ldap.password", base_dn: %q}
api: {tokens: [{name: you, role: operator, token: "file:ops.token"}]}
callbacks: {allow_private_networks: true}
log: {level: warn, format: console}
`, s.Listen, Source, System, s.Receiver.URL, System, s.Directory.URL, ServiceDN, BaseDN)
}

// freeAddress gives 127.0.0.1:8080 if nobody has it, so that the demo looks like the documentation, else another port.
func freeAddress() (string, error) {
	for _, want := range []string{"127.0.0.1:8080", "127.0.0.1:0"} {
		l, err := net.Listen("tcp", want)
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		if want == "127.0.0.1:0" {
			return "", fmt.Errorf("find a free port on 127.0.0.1: %w", err)
		}
	}
	return "", nil
}
