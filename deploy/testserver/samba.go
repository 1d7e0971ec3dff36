package testserver

import (
	"context"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
)

// SambaServer is a running Samba Active Directory domain controller for the domain RESETD (resetd.test), with LDAP and Kerberos
// and a small company in it. Its ports are those of every domain controller, so each server has a loopback address of its
// own. What the service account may do follows from the access rights in samba_people.go.
type SambaServer struct {
	*daemon
	Address  string // 127.x.y.z
	LDAPSURL string // ldaps://Address
	URL      string // ldap://Address, with StartTLS
	CAFile   string // PEM of the authority that signed the server's certificate

	Domain  string // RESETD, the NetBIOS name
	DNSName string // resetd.test
	BaseDN  string // dc=resetd,dc=test
	// PeopleDN is the unit in which the service may reset passwords; in VIPDN it may only read.
	PeopleDN, VIPDN string

	AdminName, AdminPassword     string // the built-in Administrator, as a user principal name
	ServiceName, ServicePassword string // the least privilege resetd needs
	ServiceDN                    string
	ReaderName, ReaderPassword   string // may read what everybody may, and write nothing

	settings sambaSettings
	tools    sambaTools
	secret   string // part of everybody's first password
}

// SambaOption changes how a Samba is started.
type SambaOption func(*sambaSettings)

type sambaSettings struct{ users int }

// WithAccounts adds n accounts to PeopleDN: u00001, u00002 and so on. A hundred take about three seconds when they are first made; later
// servers with as many copy them.
func WithAccounts(n int) SambaOption { return func(s *sambaSettings) { s.users = n } }

// Samba starts a domain controller for the test and ends it with the test. It takes root: for everybody else the test is skipped, as
// for a missing program.
func Samba(t testing.TB, options ...SambaOption) *SambaServer {
	t.Helper()
	return begin(t, func(ctx context.Context) (*SambaServer, error) { return StartSamba(ctx, "", options...) })
}

// StartSamba makes a domain in the folder samba inside dir, or in a temporary folder when dir is "", and starts its domain
// controller. The domain is provisioned once for each user and number of accounts, which takes some ten seconds, and copied
// from the user's cache folder afterwards. The context bounds the start. It returns a *MissingError when a program is missing, or
// the caller is not root.
func StartSamba(ctx context.Context, dir string, options ...SambaOption) (*SambaServer, error) {
	tools, err := findSamba()
	if err != nil {
		return nil, err
	}
	server := &SambaServer{Domain: "RESETD", DNSName: "resetd.test", BaseDN: sambaBase, PeopleDN: "OU=People," + sambaBase, VIPDN: "OU=VIP," + sambaBase,
		AdminName: "Administrator@resetd.test", ServiceName: "resetd@resetd.test", ServiceDN: "CN=resetd,OU=Services," + sambaBase,
		ReaderName: "reader@resetd.test", tools: tools}
	for _, option := range options {
		option(&server.settings)
	}
	if server.Address, err = sambaAddress(); err != nil {
		return nil, err
	}
	server.LDAPSURL, server.URL = "ldaps://"+server.Address, "ldap://"+server.Address
	space, err := newWorkspace(dir, "samba", nil)
	if err != nil {
		return nil, err
	}
	if err := server.prepare(ctx, space, tools); err != nil {
		space.discard()
		return nil, err
	}
	server.CAFile = space.file("private/tls/ca.pem")
	server.daemon = &daemon{
		name: "samba", space: space, end: signalTerm, ready: server.answers,
		argv: func() []string { return []string{tools.samba, "-i", "-M", "single", "-s", space.file("smb.conf")} },
		// The address is in the certificate and in the configuration, so a start that finds it taken begins anew.
		move: func() error { return fmt.Errorf("another server took %s; start again", server.Address) },
	}
	if err := server.boot(ctx, "KILL"); err != nil {
		return nil, err
	}
	return server, nil
}

// prepare copies the domain, and gives it a certificate and a configuration for this address.
func (s *SambaServer) prepare(ctx context.Context, space *workspace, tools sambaTools) error {
	seed, err := tools.domain(ctx, s.settings, space)
	if err != nil {
		return err
	}
	s.AdminPassword, s.ServicePassword, s.ReaderPassword, s.secret = seed.Admin, seed.Service, seed.Reader, seed.Secret
	made, err := newIdentity("dc1.resetd.test", s.Address)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		// Samba would make a key of its own otherwise, of 4096 bits, which takes it many seconds.
		"private/tls/ca.pem": made.authority, "private/tls/cert.pem": made.certificate, "private/tls/key.pem": made.key,
		"smb.conf": sambaConfig(space.path, s.Address), "krb5.conf": s.kerberosConfig(),
	} {
		if err := space.write(name, content); err != nil {
			return err
		}
	}
	return nil
}

// sambaConfig renders smb.conf. "samba-tool domain provision" would take options out of the machine's own one.
func sambaConfig(dir, address string) []byte {
	lines := []string{
		"[global]", "realm = RESETD.TEST", "workgroup = RESETD", "netbios name = DC1",
		"server role = active directory domain controller",
		"server services = ldap kdc",     // nothing of what a domain has beside them
		"interfaces = " + address + "/8", // with /32 nothing listens
		"bind interfaces only = yes",
		"ldap server require strong auth = allow_sasl_over_tls", "tls enabled = yes",
		"ldb:nosync = yes", // a domain for one test need not survive a power cut
		"disable netbios = yes", "dns update command = /bin/true", "log file = " + dir + "/samba.log",
	}
	for _, one := range [][2]string{
		{"private dir", "private"}, {"state directory", "state"}, {"cache directory", "cache"}, {"lock directory", "lock"},
		{"pid directory", "run"}, {"ncalrpc dir", "ncalrpc"}, {"winbindd socket directory", "wb"}, {"ntp signd socket directory", "ntp"},
	} {
		lines = append(lines, one[0]+" = "+dir+"/"+one[1])
	}
	lines = append(lines, "[sysvol]", "path = "+dir+"/state/sysvol", "read only = no",
		"[netlogon]", "path = "+dir+"/state/sysvol/resetd.test/scripts", "read only = no", "")
	return []byte(strings.Join(lines, "\n"))
}

// sambaFolders are those that Samba does not make for itself.
var sambaFolders = []string{"private", "private/tls", "state", "cache", "lock", "run", "ncalrpc", "wb", "ntp"}

// sambaPorts are those that a domain controller listens on: LDAP, LDAPS, the global catalog, Kerberos and its change of passwords.
var sambaPorts = []string{"389", "636", "3268", "3269", "88", "464"}

// sambaAddress returns a loopback address on which all ports of a domain controller are free, or a *MissingError: Samba gives files
// to several owners when it makes a domain, and its ports are below 1024, so it takes root.
func sambaAddress() (string, error) {
	if os.Geteuid() != 0 {
		return "", &MissingError{Server: "samba", Reason: "a domain controller takes root; run the tests as root, in a container for example"}
	}
	var last error
	for range 50 {
		ip := make(net.IP, 4)
		binary.BigEndian.PutUint32(ip, 127<<24|1<<16|mathrand.Uint32N(1<<24-1<<17))
		if last = portsFree(ip.String()); last == nil {
			return ip.String(), nil
		}
	}
	return "", &MissingError{Server: "samba", Reason: fmt.Sprintf("a domain controller can not listen on the loopback interface: %v", last)}
}

func portsFree(ip string) error {
	for _, port := range sambaPorts {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}
