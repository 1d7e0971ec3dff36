package main

import (
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// accountTypeNames lists what may stand before the colon of --account TYPE:VALUE.
func accountTypeNames() []string {
	return []string{string(schemas.AccountUserName), string(schemas.AccountAddress), string(schemas.AccountLogin), string(schemas.AccountEmail),
		string(schemas.AccountDownLevel), string(schemas.AccountSID), string(schemas.AccountObjectID), string(schemas.AccountDN)}
}

// parseAccount reads an account of the command line: TYPE:VALUE when there is such a type, and otherwise as the hook reads
// a plain string. A user name that begins like a type is written user_name:VALUE. Errors wrap schemas.ErrAccount.
func parseAccount(text string) (schemas.Account, error) {
	if kind, value, ok := strings.Cut(text, ":"); ok && slices.Contains(accountTypeNames(), kind) {
		a := schemas.Account{Type: schemas.AccountType(kind), Value: value}
		return a, a.Check()
	}
	return schemas.ParseAccount(text)
}
