package keycloak

import (
	"fmt"
	"strings"
)

// grant says how a role is given to resetd's client, in the console and by kcadm.sh.
func (r *realm) grant(role string) string {
	return fmt.Sprintf("grant the role %s of the client %s to its service account: console, realm %s, Clients, %s, Service accounts roles; "+
		"or kcadm.sh add-roles -r %s --uusername %s%s --cclientid %s --rolename %s",
		role, r.grantor(), r.config.AdminRealm, r.config.ClientID, r.config.AdminRealm, serviceAccount, strings.ToLower(r.config.ClientID), r.grantor(), role)
}
