// Package demo is a small company on loopback for `resetd demo`: an LDAP directory that behaves as OpenLDAP with its
// password policy overlay does, as far as resetd and a curious reader look, and a receiver of callbacks. It holds
// everything in memory and is no test server: the tests use a real slapd.
package demo

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"
)

// Where things are in the directory.
const (
	BaseDN    = "dc=example,dc=com"
	ServiceDN = "cn=resetd,ou=services," + BaseDN
	policyDN  = "cn=default,ou=policies," + BaseDN
	peopleDN  = "ou=people," + BaseDN
)

// ppolicyOID marks a server that has the password policy control (draft-behera-ldap-password-policy).
const ppolicyOID = "1.3.6.1.4.1.42.2.27.8.5.1"

// Directory is a running LDAP directory.
type Directory struct {
	URL             string
	ServicePassword string

	server  *gldap.Server
	mu      sync.Mutex
	entries []*entry
	changes int
	bound   map[int]string // by connection, who signed in, in lower case
}

// entry is one object; the keys of its attributes are in lower case, names keeps how they are written.
type entry struct {
	dn     string
	attrs  map[string][]string
	secret string // the password, for binds
}

// Person is somebody in the demo company.
type Person struct{ UID, Name, Mail, Password string }

// People are those who work in the demo company. Their passwords are known to the thief, and so to the reader.
func People() []Person {
	return []Person{
		{"jdoe", "Jane Doe", "jdoe@example.com", "Summer2026!jdoe"},
		{"asmith", "Alan Smith", "asmith@example.com", "Winter2026!asmith"},
		{"mgarcia", "Maria Garcia", "mgarcia@example.com", "Autumn2026!mgarcia"},
	}
}

// StartDirectory listens on a free port of 127.0.0.1.
func StartDirectory() (*Directory, error) {
	d := &Directory{ServicePassword: rand.Text(), bound: map[int]string{}}
	d.add(BaseDN, "", map[string][]string{"objectClass": {"organization", "dcObject"}, "dc": {"example"}, "o": {"Example"}})
	d.add(peopleDN, "", map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"people"}})
	d.add(policyDN, "", map[string][]string{"objectClass": {"device", "pwdPolicy"}, "cn": {"default"}, "pwdAttribute": {"userPassword"},
		"pwdMustChange": {"TRUE"}, "pwdMinLength": {"12"}, "pwdCheckQuality": {"1"}})
	d.add(ServiceDN, d.ServicePassword, map[string][]string{"objectClass": {"device", "simpleSecurityObject"}, "cn": {"resetd"}})
	for _, p := range People() {
		given, family, _ := strings.Cut(p.Name, " ")
		d.add("uid="+p.UID+","+peopleDN, p.Password, map[string][]string{"objectClass": {"inetOrgPerson", "organizationalPerson", "person", "top"},
			"uid": {p.UID}, "cn": {p.Name}, "givenName": {given}, "sn": {family}, "mail": {p.Mail},
			"pwdChangedTime": {generalized(time.Now().Add(-90 * 24 * time.Hour))}, "pwdPolicySubentry": {policyDN}})
	}
	server, err := gldap.NewServer(gldap.WithLogger(hclog.NewNullLogger()), gldap.WithOnClose(func(id int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.bound, id)
	}))
	if err != nil {
		return nil, fmt.Errorf("make the demo directory: %w", err)
	}
	mux, err := gldap.NewMux()
	if err != nil {
		return nil, fmt.Errorf("make the demo directory: %w", err)
	}
	for _, add := range []error{mux.Bind(d.bind), mux.Search(d.search), mux.Modify(d.modify), server.Router(mux)} {
		if add != nil {
			return nil, fmt.Errorf("make the demo directory: %w", add)
		}
	}
	d.server = server
	return d, d.listen()
}

// listen finds a free port first, because the library tells neither the port that it got nor a failure to listen.
func (d *Directory) listen() error {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a free port for the demo directory: %w", err)
	}
	address := probe.Addr().String()
	_ = probe.Close()
	failed := make(chan error, 1)
	go func() { failed <- d.server.Run(address) }()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-failed:
			return fmt.Errorf("start the demo directory on %s: %w", address, err)
		default:
		}
		if d.server.Ready() {
			d.URL = "ldap://" + address
			return nil
		}
	}
	return fmt.Errorf("the demo directory did not start on %s within 5 s", address)
}

// Close stops listening.
func (d *Directory) Close() { _ = d.server.Stop() }

func (d *Directory) add(dn, secret string, attrs map[string][]string) {
	e := &entry{dn: dn, secret: secret, attrs: map[string][]string{}}
	for name, values := range attrs {
		e.attrs[strings.ToLower(name)] = values
	}
	e.attrs["entryuuid"], e.attrs["entrydn"] = []string{uuid.NewString()}, []string{dn}
	d.stamp(e, time.Now())
	d.entries = append(d.entries, e)
}

// stamp notes a change in the operational attributes, as OpenLDAP does.
func (d *Directory) stamp(e *entry, at time.Time) {
	d.changes++
	e.attrs["modifytimestamp"] = []string{generalized(at)}
	e.attrs["entrycsn"] = []string{at.UTC().Format("20060102150405.000000Z") + "#" + strconv.Itoa(d.changes) + "#000#000000"}
}

func (d *Directory) find(dn string) *entry {
	for _, e := range d.entries {
		if strings.EqualFold(e.dn, dn) {
			return e
		}
	}
	return nil
}

// Login tells whether a password works, and whether it must be changed first.
func (d *Directory) Login(dn, password string) (works, mustChange bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.find(dn)
	if e == nil || e.secret == "" || subtle.ConstantTimeCompare([]byte(e.secret), []byte(password)) != 1 {
		return false, false
	}
	return true, len(e.attrs["pwdreset"]) > 0
}

// DN gives the name of a person's entry.
func (p Person) DN() string { return "uid=" + p.UID + "," + peopleDN }

// generalized writes a time as LDAP does (RFC 4517 §3.3.13), with the fraction that OpenLDAP gives pwdChangedTime.
func generalized(t time.Time) string { return t.UTC().Format("20060102150405.000000Z") }
