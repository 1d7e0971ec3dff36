package handlers

import (
	"net/http"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// accounts shows one account on every system, as it stands there now. Nothing is kept that could be searched: each call
// reads the systems live, with resetd's own log-in and against their rates, and whoever may make it can find out which
// accounts exist, which are privileged and which are watched over. So it takes an operator, who may reset them as well.
func (f *Face) accounts(c *call) error {
	q := readQuery(c.Request, "q", "type")
	account := q.account()
	if err := q.check(); err != nil {
		return err
	}
	if err := f.pace.let(c.caller); err != nil {
		return err
	}
	report, err := f.Accounts.Look(c.Request.Context(), account)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, report)
}

// account gives the account that q and type name: by the rule for plain strings unless there is a type.
func (q *query) account() schemas.Account {
	value := q.values.Get("q")
	kind := oneOf(q, "type", schemas.AccountTypes())
	if value == "" {
		q.refuse("q", "name an account: a login name, e-mail address, DOMAIN\\name, SID or object id")
		return schemas.Account{}
	}
	account, err := schemas.ParseAccount(value)
	if kind != "" && kind != account.Type {
		account = schemas.Account{Type: kind, Value: value}
		err = account.Check()
	}
	if err != nil {
		q.refuse("q", strings.TrimPrefix(err.Error(), schemas.ErrAccount.Error()+": "))
	}
	return account
}
