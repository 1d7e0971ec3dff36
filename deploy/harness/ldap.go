package harness

import (
	"fmt"

	"github.com/resetd/resetd/deploy/testserver"
)

// OpenLDAP gives the YAML of one granted system on a real slapd, over TLS, as its least-privileged service account. The
// password is expected in the secret file ldap.password.
func OpenLDAP(name string, s *testserver.SlapdServer) string {
	return fmt.Sprintf(`  - name: %s
    kind: openldap
    enforcement: granted
    config: {url: %q, bind_dn: %q, password: "file:ldap.password", base_dn: %q, tls_ca: %q, default_policy: %q}
`, name, s.LDAPSURL, s.ServiceDN, s.BaseDN, s.CAFile, s.StrictPolicyDN)
}
