package testserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// Where distributions keep OpenLDAP's schema files and loadable modules. A
// slapd with everything built in has no module folder.
var (
	schemaDirs = []string{"/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema", "/opt/homebrew/etc/openldap/schema"}
	moduleDirs = []string{"/usr/lib/ldap", "/usr/lib/openldap", "/usr/lib64/openldap", "/usr/local/libexec/openldap"}
)

// slapdConf is the configuration. The access rules are the ones that
// resetd's documentation asks an administrator for: the service may write
// userPassword and pwdReset where it may act, read the rest, and nothing else.
// In ManageDN it has "manage", under which slapd sets pwdReset itself when the
// password is changed by the extended operation of RFC 3062; with "write" it
// does not. Everybody may change his own password and ask for anonymous
// authentication, as in any directory.
//
// dbnosync leaves writing to the disk to the kernel: quick, and a killed slapd
// still loses nothing; only a power cut would.
//
// The audit log comes first, so that it is called last and sees passwords
// hashed by the policy overlay.
var slapdConf = template.Must(template.New("slapd.conf").Parse(`
include {{.Schema}}/core.schema
include {{.Schema}}/cosine.schema
include {{.Schema}}/inetorgperson.schema
{{if .Modules -}}
modulepath {{.Modules}}
moduleload back_mdb
moduleload auditlog
{{if .Policy}}moduleload ppolicy
{{end}}{{end}}
pidfile {{.Dir}}/slapd.pid
argsfile {{.Dir}}/slapd.args
TLSCACertificateFile {{.Dir}}/ca.pem
TLSCertificateFile {{.Dir}}/server.pem
TLSCertificateKeyFile {{.Dir}}/server.key

database mdb
suffix "{{.S.BaseDN}}"
rootdn "{{.S.RootDN}}"
rootpw {{.RootHash}}
directory {{.Dir}}/db
maxsize 1073741824
dbnosync
index objectClass,entryUUID,uid,mail eq

access to dn.subtree="{{.S.ManageDN}}" attrs=userPassword
	by dn.exact="{{.S.ServiceDN}}" manage
	by self =xw
	by anonymous auth
	by * none
{{range .Writable}}access to dn.subtree="{{.}}" attrs=userPassword
	by dn.exact="{{$.S.ServiceDN}}" write
	by self =xw
	by anonymous auth
	by * none
{{end -}}
access to attrs=userPassword
	by self =xw
	by anonymous auth
	by * none
{{if .Policy -}}
access to dn.subtree="{{.S.ManageDN}}" attrs=pwdReset
	by dn.exact="{{.S.ServiceDN}}" manage
	by * read
{{range .Writable}}access to dn.subtree="{{.}}" attrs=pwdReset
	by dn.exact="{{$.S.ServiceDN}}" write
	by * read
{{end}}{{end -}}
access to *
	by dn.exact="{{.S.ServiceDN}}" read
	by dn.exact="{{.S.ReaderDN}}" read
	by self read
	by * none

overlay auditlog
auditlog {{.S.AuditLog}}
{{if .Idle}}
database mdb
suffix "dc=other"
directory {{.Dir}}/db-other
maxsize 1048576
{{end}}{{if .Policy}}overlay ppolicy
ppolicy_default "{{.S.StrictPolicyDN}}"
{{if not .Clear}}ppolicy_hash_cleartext
{{end}}ppolicy_use_lockout
{{end}}`))

// config renders the configuration for a server that lives in the folder.
func (s *SlapdServer) config(space *workspace) ([]byte, error) {
	schema := firstDir(schemaDirs)
	if schema == "" {
		return nil, fmt.Errorf("slapd is installed, but its schema files are in none of %v: install the distribution's whole OpenLDAP server package", schemaDirs)
	}
	rootHash, err := hashPassword(s.RootPassword)
	if err != nil {
		return nil, err
	}
	var config bytes.Buffer
	err = slapdConf.Execute(&config, map[string]any{
		"S": s, "Dir": space.path, "Schema": schema, "Modules": firstDir(moduleDirs), "RootHash": rootHash,
		"Policy": !s.settings.plain, "Idle": s.settings.idle, "Clear": s.settings.clear, "Writable": []string{s.PeopleDN, s.LaxDN},
	})
	if err != nil {
		return nil, fmt.Errorf("writing slapd.conf: %w", err)
	}
	return config.Bytes(), nil
}

// apparmorProfile is the rule set by which Ubuntu keeps /usr/sbin/slapd away
// from temporary folders.
const apparmorProfile = "/etc/apparmor.d/usr.sbin.slapd"

// unconfined returns the path of a slapd that may read the folder. AppArmor
// attaches a profile to a program's path, so where slapd has one, a copy inside
// the folder is run instead.
func unconfined(program, profile string, space *workspace) (string, error) {
	if _, err := os.Stat(profile); errors.Is(err, os.ErrNotExist) {
		return program, nil
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("copying slapd past its AppArmor profile: %w", err)
	}
	name := filepath.Base(program)
	if err := space.write(name, content); err != nil {
		return "", err
	}
	if err := os.Chmod(space.file(name), 0o500); err != nil {
		return "", fmt.Errorf("copying slapd past its AppArmor profile: %w", err)
	}
	return space.file(name), nil
}
