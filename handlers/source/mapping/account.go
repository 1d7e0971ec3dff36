package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// errAbsent says that there is no account in a value.
var errAbsent = errors.New("absent")

// named is an account and how its type came to be known.
type named struct {
	schemas.Account
	explicit bool // by account_type, by {"type","value"} or by a function, and not by the form of the text
}

// accounts reads the value of an account expression: a text, {"type","value"}, or a list of either. Entries of a list that
// are absent count for nothing. The error is errAbsent, says why an account is refused, or is a limitError.
func accounts(s *scope, v any, as schemas.AccountType) ([]schemas.Account, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if err := s.charge(accountCost * uint64(len(list))); err != nil {
		return nil, err
	}
	var out []schemas.Account
	for _, e := range list {
		a, err := account(e, as)
		if err == errAbsent {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, errAbsent
	}
	return out, nil
}

func account(v any, as schemas.AccountType) (schemas.Account, error) {
	var n named
	switch v := v.(type) {
	case map[string]any:
		t, _ := v["type"].(string)
		value, isText := v["value"].(string)
		if !isText && v["value"] != nil || len(v) != 2 || !slices.Contains(schemas.AccountTypes(), schemas.AccountType(t)) {
			return schemas.Account{}, errors.New(`it is an object, and not {"type", "value"} with a type of account; name the member that holds the account`)
		}
		n = read(strings.TrimSpace(value), schemas.AccountType(t))
	case string:
		n = read(strings.TrimSpace(v), as)
	case int64, uint64:
		s, _ := text(v)
		n = read(s, as) // refused below, as any text of digits, if no type was set
	case nil:
		return schemas.Account{}, errAbsent
	case []any:
		if len(v) == 0 {
			return schemas.Account{}, errAbsent
		}
		return schemas.Account{}, errors.New("it is a list inside of a list")
	default:
		return schemas.Account{}, fmt.Errorf("it is %s, which names no account", kindOf(v))
	}
	if len(n.Value) > schemas.MaxAccountBytes { // told by Check too, but every look at it would take long
		return schemas.Account{}, fmt.Errorf("it is %d bytes long, and no account has more than %d", len(n.Value), schemas.MaxAccountBytes)
	}
	if n.Value == "" || nobody[strings.ToLower(n.Value)] {
		return schemas.Account{}, errAbsent
	}
	if n.Type == schemas.AccountObjectID || n.Type == schemas.AccountSID { // brackets and letter case, as ParseAccount takes them
		if a, err := schemas.ParseAccount(n.Value); err == nil && a.Type == n.Type {
			n.Value = a.Value
		}
	}
	if err := uncertain(n); err != nil {
		return schemas.Account{}, err
	}
	if err := n.Check(); err != nil {
		return schemas.Account{}, err
	}
	return n.Account, nil
}

// read makes an account of a text: of the type that is said, or of the one that its form tells.
func read(s string, as schemas.AccountType) named {
	if as != "" || len(s) > schemas.MaxAccountBytes {
		return named{schemas.Account{Type: as, Value: s}, true}
	}
	a, _ := schemas.ParseAccount(s)
	return named{a, false}
}

func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "true or false"
	case float64:
		return "a number with a fraction"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case nil:
		return "null"
	}
	return "a text"
}
