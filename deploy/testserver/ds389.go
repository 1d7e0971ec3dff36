package testserver

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
)

// DS389Server is a running 389 Directory Server, the base of FreeIPA and Red Hat Directory Server, with a small company in
// it. What the accounts below may do follows from the access rules in ds389_people.go.
type DS389Server struct {
	*daemon
	URL    string // ldaps://127.0.0.1:port
	CAFile string // PEM of the authority that signed the server's certificate

	BaseDN      string // dc=example,dc=com
	PeopleDN    string // under the server's own policy; the service may reset passwords here
	LaxDN       string // under a policy with passwordMustChange off; the service may reset passwords here
	VIPDN       string // where the service may only read
	LaxPolicyDN string // that policy

	RootDN, RootPassword       string // the Directory Manager, who may do everything
	ServiceDN, ServicePassword string // the least privilege resetd needs
	ReaderDN, ReaderPassword   string // may read, and write nothing
	HelperDN, HelperPassword   string // may write userPassword in PeopleDN, and nothing else

	// AuditLog is the path of the file in which the server notes every change, a moment after it was made.
	AuditLog string

	settings ds389Settings
	tools    ds389Tools
	secret   string // part of everybody's first password
}

// DS389Option changes how a 389 Directory Server is started.
type DS389Option func(*ds389Settings)

type ds389Settings struct {
	users                        int
	lenient, untracked, numbered bool
	ordinary, secretive          bool
}

// WithPeople adds n accounts to PeopleDN of a 389 Directory Server: u00001, u00002 and so on.
func WithPeople(n int) DS389Option { return func(s *ds389Settings) { s.users = n } }

// WithoutMustChange turns passwordMustChange off in the server's own policy, as it is in a new instance. A demand for a new
// password is then stored and ignored.
func WithoutMustChange() DS389Option { return func(s *ds389Settings) { s.lenient = true } }

// WithoutUpdateTime turns passwordTrackUpdateTime off, as it is in a new instance: the server then keeps no record of when
// a password was set.
func WithoutUpdateTime() DS389Option { return func(s *ds389Settings) { s.untracked = true } }

// WithoutPasswordAdmin leaves passwordAdminDN out, so that the service account sets passwords as everybody does: the server then does
// not take that for a reset, and demands no change by itself.
func WithoutPasswordAdmin() DS389Option { return func(s *ds389Settings) { s.ordinary = true } }

// WithHiddenPolicy keeps the service account from reading the server's own policy.
func WithHiddenPolicy() DS389Option { return func(s *ds389Settings) { s.secretive = true } }

// WithUSN turns on the plug-in that gives every entry a number (entryusn) which grows with each change, as FreeIPA does.
func WithUSN() DS389Option { return func(s *ds389Settings) { s.numbered = true } }

// DS389 starts a 389 Directory Server for the test and ends it with the test.
func DS389(t testing.TB, options ...DS389Option) *DS389Server {
	t.Helper()
	return begin(t, func(ctx context.Context) (*DS389Server, error) { return StartDS389(ctx, "", options...) })
}

// StartDS389 makes an instance in the folder 389ds inside dir, or in a temporary folder when dir is "", and starts it. The
// context bounds the start, not the server's life: that ends with Close, or with the calling process. It returns a
// *MissingError when the server or one of the tools for its certificate is not installed.
//
// The instance is written by hand out of the package's own templates. The package's dscreate would put it into the
// machine's folders and start it by systemd.
func StartDS389(ctx context.Context, dir string, options ...DS389Option) (*DS389Server, error) {
	tools, err := findDS389()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged("dirsrv", "nobody")
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "389ds", who)
	if err != nil {
		return nil, err
	}
	server := newDS389Server(space, options)
	server.tools = tools
	port, err := freePort()
	if err == nil {
		server.URL = "ldaps://" + address(port)
		err = server.prepare(ctx, space, port)
	}
	if err != nil {
		space.discard()
		return nil, err
	}
	server.daemon = &daemon{
		name: "389ds", space: space, end: signalTerm, ready: server.answers,
		argv: func() []string {
			// In the foreground (-d) the server does not say why it ends, so a port that is taken is looked for before.
			port := strings.TrimPrefix(server.URL, "ldaps://")
			listener, err := net.Listen("tcp", port)
			if err != nil {
				return []string{"/bin/sh", "-c", `echo "$1 is in use"; exit 1`, "sh", port}
			}
			_ = listener.Close() // nobody has connected
			return []string{tools.server, "-D", space.file(ds389Instance()), "-i", space.file("run/pid"), "-d", "0"}
		},
		// The server rewrites its configuration while it runs, and it has ended when this is called.
		move: func() error {
			next, err := freePort()
			if err != nil {
				return err
			}
			name := ds389Instance() + "/dse.ldif"
			config, err := os.ReadFile(space.file(name))
			if err != nil {
				return err
			}
			server.URL = "ldaps://" + address(next)
			return space.write(name, withPort(config, next))
		},
	}
	if err := server.boot(ctx, "KILL"); err != nil {
		return nil, err
	}
	return server, nil
}

// newDS389Server fills in the names and makes the passwords.
func newDS389Server(space *workspace, options []DS389Option) *DS389Server {
	const base = "dc=example,dc=com"
	server := &DS389Server{
		CAFile: space.file("ca.pem"), AuditLog: space.file("log/audit"),
		BaseDN: base, PeopleDN: "ou=people," + base, LaxDN: "ou=lax," + base, VIPDN: "ou=vip," + base, LaxPolicyDN: "cn=lax,ou=policies," + base,
		RootDN: "cn=Directory Manager", RootPassword: newPassword(),
		ServiceDN: "uid=resetd,ou=services," + base, ServicePassword: newPassword(),
		ReaderDN: "uid=reader,ou=services," + base, ReaderPassword: newPassword(),
		HelperDN: "uid=helper,ou=services," + base, HelperPassword: newPassword(),
		secret: newPassword(),
	}
	for _, option := range options {
		option(&server.settings)
	}
	return server
}
