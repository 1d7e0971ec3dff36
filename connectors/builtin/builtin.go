// Package builtin lists the kinds of IAM systems that resetd knows.
package builtin

import (
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/activedirectory"
	"github.com/resetd/resetd/connectors/awsiam"
	"github.com/resetd/resetd/connectors/cognito"
	"github.com/resetd/resetd/connectors/entra"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/connectors/keycloak"
	"github.com/resetd/resetd/connectors/ldap389"
	"github.com/resetd/resetd/connectors/okta"
	"github.com/resetd/resetd/connectors/openldap"
)

// Kinds gives all kinds, in alphabetical order.
func Kinds() []connectors.Kind {
	return []connectors.Kind{
		activedirectory.Kind(),
		awsiam.Kind(),
		cognito.Kind(),
		entra.Kind(),
		googleworkspace.Kind(),
		keycloak.Kind(),
		ldap389.Kind(),
		okta.Kind(),
		openldap.Kind(),
	}
}

// Find gives the kind of that name, and whether there is one.
func Find(name string) (connectors.Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return connectors.Kind{}, false
}
