package testserver

import (
	"context"
	"testing"
)

// SlapdServer is a running OpenLDAP with the password policy overlay and a
// small company in it. What the accounts below may do follows from the access
// rules in slapd_config.go.
type SlapdServer struct {
	*daemon
	URL      string // ldap://127.0.0.1:port, with StartTLS
	LDAPSURL string // ldaps://127.0.0.1:port
	CAFile   string // PEM of the authority that signed the server's certificate

	BaseDN         string // dc=example,dc=com
	PeopleDN       string // under the policy "strict"; the service may write passwords here
	LaxDN          string // under the policy "lax", which ignores pwdReset; the service may write here
	VIPDN          string // where the service may only read
	ManageDN       string // where the service has "manage" on passwords
	StrictPolicyDN string // the default policy: pwdMustChange TRUE, at least 12 characters, none of the last 2 passwords
	LaxPolicyDN    string // the policy with pwdMustChange FALSE

	RootDN, RootPassword       string // may do everything and bypasses the policy
	ServiceDN, ServicePassword string // the least privilege resetd needs
	ReaderDN, ReaderPassword   string // may read, and write nothing

	// AuditLog is the path of the LDIF file in which slapd notes every change.
	AuditLog string

	settings slapdSettings
	secret   string // part of everybody's first password
}

// SlapdOption changes how a slapd is started.
type SlapdOption func(*slapdSettings)

type slapdSettings struct {
	plain bool
	clear bool // passwords are not hashed
	idle  bool // the policy overlay acts on another database
	users int
}

// WithoutPpolicy leaves the password policy overlay out: pwdReset is then an
// unknown attribute and no policy holds.
func WithoutPpolicy() SlapdOption { return func(s *slapdSettings) { s.plain = true } }

// WithIdlePpolicy loads the password policy overlay, but puts it on a second, empty database (dc=other). The server then
// looks as if it had policies, and stores pwdReset, but no policy holds for anybody.
func WithIdlePpolicy() SlapdOption { return func(s *slapdSettings) { s.idle = true } }

// WithClearPasswords leaves passwords as they were sent, in the directory and in the audit log, so that a test can learn
// which ones a program has made and look for them elsewhere.
func WithClearPasswords() SlapdOption { return func(s *slapdSettings) { s.clear = true } }

// WithUsers adds n accounts under ou=people: u00001, u00002 and so on. Ten
// thousand take about a second.
func WithUsers(n int) SlapdOption { return func(s *slapdSettings) { s.users = n } }

// Slapd starts an OpenLDAP for the test and ends it with the test.
func Slapd(t testing.TB, options ...SlapdOption) *SlapdServer {
	t.Helper()
	return begin(t, func(ctx context.Context) (*SlapdServer, error) { return StartSlapd(ctx, "", options...) })
}

// StartSlapd makes a directory in the folder slapd inside dir, or in a
// temporary folder when dir is "", and starts it. The context bounds the start,
// not the server's life: that ends with Close, or with the calling process. It
// returns a *MissingError when slapd is not installed.
func StartSlapd(ctx context.Context, dir string, options ...SlapdOption) (*SlapdServer, error) {
	program, err := needSlapd.find()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged("nobody", "openldap", "ldap")
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "slapd", who)
	if err != nil {
		return nil, err
	}
	server := newSlapdServer(space, options)
	if program, err = unconfined(program, apparmorProfile, space); err == nil {
		err = server.prepare(ctx, space, program)
	}
	if err != nil {
		space.discard()
		return nil, err
	}
	var plainPort, tlsPort int
	server.daemon = &daemon{
		name: "slapd", space: space, end: signalTerm, ready: server.answers,
		argv: func() []string {
			// slapd reserves memory for every descriptor it may open, which is
			// hundreds of megabytes where containers allow a million.
			return []string{
				"/bin/sh", "-c", `ulimit -n 4096 2>/dev/null; exec "$@"`, "sh",
				program, "-f", space.file("slapd.conf"), "-h", server.URL + " " + server.LDAPSURL,
				"-d", "none", // in the foreground, and only the most important messages
			}
		},
		move: func() error {
			if plainPort, err = freePort(); err != nil {
				return err
			}
			for tlsPort = plainPort; tlsPort == plainPort; {
				if tlsPort, err = freePort(); err != nil {
					return err
				}
			}
			server.URL = "ldap://" + address(plainPort)
			server.LDAPSURL = "ldaps://" + address(tlsPort)
			return nil
		},
	}
	if err := server.move(); err != nil {
		space.discard()
		return nil, err
	}
	if err := server.boot(ctx, "KILL"); err != nil {
		return nil, err
	}
	return server, nil
}

// newSlapdServer fills in the names and makes the passwords.
func newSlapdServer(space *workspace, options []SlapdOption) *SlapdServer {
	const base = "dc=example,dc=com"
	server := &SlapdServer{
		CAFile: space.file("ca.pem"), AuditLog: space.file("audit.ldif"),
		BaseDN: base, PeopleDN: "ou=people," + base, LaxDN: "ou=lax," + base, VIPDN: "ou=vip," + base, ManageDN: "ou=managed," + base,
		StrictPolicyDN: "cn=strict,ou=policies," + base, LaxPolicyDN: "cn=lax,ou=policies," + base,
		RootDN: "cn=root," + base, RootPassword: newPassword(),
		ServiceDN: "cn=resetd,ou=services," + base, ServicePassword: newPassword(),
		ReaderDN: "cn=reader,ou=services," + base, ReaderPassword: newPassword(),
		secret: newPassword(),
	}
	for _, option := range options {
		option(&server.settings)
	}
	return server
}

// prepare writes the certificates, the configuration and the entries.
func (s *SlapdServer) prepare(ctx context.Context, space *workspace, program string) error {
	made, err := newIdentity()
	if err != nil {
		return err
	}
	config, err := s.config(space)
	if err != nil {
		return err
	}
	entries, err := s.entries()
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"ca.pem", made.authority}, {"server.pem", made.certificate}, {"server.key", made.key},
		{"slapd.conf", config}, {"entries.ldif", entries}, {"audit.ldif", nil},
	} {
		if err := space.write(file.name, file.content); err != nil {
			return err
		}
	}
	for _, folder := range []string{"db", "db-other"} {
		if err := space.mkdir(folder); err != nil {
			return err
		}
	}
	// slapadd is slapd by another name; -q leaves out the checks that make
	// thousands of entries slow.
	return space.run(ctx, program, "-T", "add", "-q", "-b", s.BaseDN, "-f", space.file("slapd.conf"), "-l", space.file("entries.ldif"))
}
