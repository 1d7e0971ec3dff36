package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// ds389Tools are the programs and files of the package that an instance is made with.
type ds389Tools struct {
	server             string
	certutil, pk12util string // of NSS, whose databases the server keeps its certificate in
	openssl            string
	templates          string // the folder of template-dse.ldif
}

// needDS389 stands for all programs of an instance: deploy/test-servers.sh tells of them as one server, too.
var needDS389 = need{"389ds", "389-ds-base libnss3-tools openssl", []string{"ns-slapd"}}

// findDS389 looks for everything that an instance takes.
func findDS389() (tools ds389Tools, err error) {
	for _, one := range []struct {
		into    *string
		program string
	}{{&tools.server, "ns-slapd"}, {&tools.certutil, "certutil"}, {&tools.pk12util, "pk12util"}, {&tools.openssl, "openssl"}} {
		if *one.into, err = (need{needDS389.server, needDS389.pkg, []string{one.program}}).find(); err != nil {
			return tools, err
		}
	}
	tools.templates = firstDir([]string{"/usr/share/dirsrv/data"})
	if tools.templates == "" {
		return tools, &MissingError{Server: "389ds", Reason: "its templates are not in /usr/share/dirsrv/data; install the distribution's whole 389-ds-base package"}
	}
	return tools, nil
}

// ds389Instance is the folder with the server's configuration. The server makes a semaphore for its statistics that is named after the folder,
// can be used by one user only, and stays when the server is killed; hence the same name for all servers of a user.
func ds389Instance() string { return fmt.Sprintf("slapd-resetd-tests-%d", os.Getuid()) }

// ds389Folders are those that the server does not make for itself.
func ds389Folders() []string {
	return []string{ds389Instance(), ds389Instance() + "/schema", "db", "log", "run", "lock", "tmp", "ldif", "bak"}
}

// prepare writes the certificates, the configuration and the entries.
func (s *DS389Server) prepare(ctx context.Context, space *workspace, port int) error {
	for _, folder := range ds389Folders() {
		if err := space.mkdir(folder); err != nil {
			return err
		}
	}
	config, err := s.config(space, port)
	if err != nil {
		return err
	}
	entries, err := s.entries()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		ds389Instance() + "/dse.ldif": config, "entries.ldif": entries,
		// Where additions to the schema would be kept. Without the file the server ends without a word.
		ds389Instance() + "/schema/99user.ldif": []byte("dn: cn=schema\nobjectclass: top\nobjectclass: ldapSubentry\nobjectclass: subschema\ncn: schema\n"),
		// Rules of languages for sorting, and of client certificates: none. The package's own are out of others' reach.
		ds389Instance() + "/slapd-collations.conf": nil, ds389Instance() + "/certmap.conf": []byte("certmap default default\n"),
	} {
		if err := space.write(name, content); err != nil {
			return err
		}
	}
	if err := s.certify(ctx, space); err != nil {
		return err
	}
	return space.run(ctx, s.tools.server, "ldif2db", "-D", space.file(ds389Instance()), "-n", ds389Backend, "-i", space.file("entries.ldif"))
}

// certify puts the server's certificate into a database of NSS, which takes keys in the form PKCS #12 only.
func (s *DS389Server) certify(ctx context.Context, space *workspace) error {
	made, err := newIdentity()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"ca.pem": made.authority, "server.pem": made.certificate, "server.key": made.key} {
		if err := space.write(name, content); err != nil {
			return err
		}
	}
	database := "sql:" + space.file(ds389Instance())
	for _, argv := range [][]string{
		{s.tools.openssl, "pkcs12", "-export", "-name", "Server-Cert", "-in", "server.pem", "-inkey", "server.key", "-passout", "pass:", "-out", "server.p12"},
		{s.tools.certutil, "-N", "-d", database, "--empty-password"},
		{s.tools.certutil, "-A", "-d", database, "-n", "authority", "-t", "CT,,", "-i", "ca.pem"},
		{s.tools.pk12util, "-i", "server.p12", "-d", database, "-W", ""},
	} {
		if err := space.run(ctx, argv...); err != nil {
			return err
		}
	}
	return nil
}

// ds389Backend is the name of the database that holds the company.
const ds389Backend = "userroot"

// placeholder is a place in the package's templates for a value.
var placeholder = regexp.MustCompile(`%[a-z_]+%`)

// config renders the configuration out of the package's templates, in the way of dscreate but for the folders.
func (s *DS389Server) config(space *workspace, port int) ([]byte, error) {
	var text []byte
	for _, name := range []string{"template-dse.ldif", "template-suffix-db.ldif"} {
		part, err := os.ReadFile(filepath.Join(s.tools.templates, name))
		if err != nil {
			return nil, fmt.Errorf("reading a template of 389-ds: %w", err)
		}
		text = append(append(text, '\n', '\n'), part...)
	}
	root, err := hashPassword(s.RootPassword)
	if err != nil {
		return nil, err
	}
	uid := os.Getuid()
	if space.who != nil {
		uid = space.who.uid
	}
	// By name: the server does not take a number, and ends without a word.
	who, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil, fmt.Errorf("the user whom 389-ds is to run as: %w", err)
	}
	values := map[string]string{
		"fqdn": "localhost", "ds_user": who.Username, "ds_port": "0", "rootdn": s.RootDN, "ds_passwd": root, "ldapi_enabled": "off", "ldapi": space.file("run/ldapi"),
		// LMDB, which newer versions prefer, and some are built with alone.
		"ldapi_autobind": "off", "ds_suffix": s.BaseDN, "ds_bename": ds389Backend, "db_lib": "mdb",
		"schema_dir": space.file(ds389Instance() + "/schema"), "cert_dir": space.file(ds389Instance()), "config_dir": space.file(ds389Instance()), "inst_dir": space.path,
		"lock_dir": space.file("lock"), "tmp_dir": space.file("tmp"), "ldif_dir": space.file("ldif"), "bak_dir": space.file("bak"),
		"run_dir": space.file("run"), "log_dir": space.file("log"), "db_dir": space.file("db"), "db_home_dir": space.file("db"),
	}
	var unknown error
	text = placeholder.ReplaceAllFunc(text, func(name []byte) []byte {
		value, ok := values[strings.Trim(string(name), "%")]
		if !ok {
			unknown = errors.Join(unknown, fmt.Errorf("the templates of this 389-ds have a place %s that the tests do not know", name))
		}
		return []byte(value)
	})
	if unknown != nil {
		return nil, unknown
	}
	return withPort(s.tuned(text), port), nil
}

// tuned cleans the templates, which hold comments and blank lines that the server does not take inside this file, and adds
// the settings of the tests to the first entry, cn=config.
func (s *DS389Server) tuned(text []byte) []byte {
	onOff := map[bool]string{true: "on", false: "off"}
	settings := []string{
		"nsslapd-security: on", "nsslapd-secureport: 0", "nsslapd-listenhost: 127.0.0.1", "nsslapd-securelistenhost: 127.0.0.1",
		"nsslapd-rootpwstoragescheme: SSHA", "nsslapd-auditlog-logging-enabled: on", "nsslapd-accesslog-logging-enabled: off",
		"nsslapd-pwpolicy-local: on", "passwordCheckSyntax: on", "passwordMinLength: 12", "passwordHistory: on", "passwordInHistory: 2",
		"passwordMustChange: " + onOff[!s.settings.lenient], "passwordTrackUpdateTime: " + onOff[!s.settings.untracked],
		// The usual scheme takes 0.1 s of computing for each password and log-in.
		"passwordStorageScheme: SSHA",
	}
	if !s.settings.ordinary {
		settings = append(settings, "passwordAdminDN: "+s.ServiceDN)
	}
	if !s.settings.secretive {
		settings = append(settings, ds389Rule(ds389Policy, "resetd may read the password policy", "read, search, compare", s.ServiceDN))
	}
	var out bytes.Buffer
	first, blank, usn := true, true, false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "#") || line == "" && blank {
			continue
		}
		blank = line == ""
		if strings.HasPrefix(line, "dn: ") {
			usn = strings.HasPrefix(line, "dn: cn=USN,")
		}
		if usn && s.settings.numbered && strings.HasPrefix(strings.ToLower(line), "nsslapd-pluginenabled:") {
			line = "nsslapd-pluginEnabled: on"
		}
		if blank && first {
			first = false
			fmt.Fprintln(&out, strings.Join(settings, "\n"))
		}
		fmt.Fprintln(&out, line)
	}
	return out.Bytes()
}

// portLine is written anew by the server, in another spelling.
var portLine = regexp.MustCompile(`(?mi)^nsslapd-secureport: \d+$`)

// withPort writes another port into a configuration.
func withPort(config []byte, port int) []byte {
	return portLine.ReplaceAll(config, fmt.Appendf(nil, "nsslapd-secureport: %d", port))
}
