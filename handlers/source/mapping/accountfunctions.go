package mapping

import (
	"net/mail"
	"regexp"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/resetd/resetd/schemas"
)

// typed makes a function that says what a text is: login(x) gives {"type": "login", "value": x}, null where x is absent,
// and a list of them for a list.
func typed(name string, t schemas.AccountType) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val { return typedAccounts(name, t, v) }
}

func typedAccounts(name string, t schemas.AccountType, v ref.Val) ref.Val {
	if nothing(v) {
		return types.NullValue
	}
	if o, ok := v.(*types.Optional); ok {
		v = o.GetValue()
	}
	list, ok := v.(traits.Lister)
	if !ok {
		s, ok := scalar(v)
		if _, fraction := v.(types.Double); !ok || fraction {
			return fail("%s takes a text, a whole number or a list of them", name)
		}
		return typedAccount(t, s)
	}
	if values(list) > schemas.MaxRequests {
		return tooMuch(name + " takes at most 1000 accounts")
	}
	var out []ref.Val
	for it := list.Iterator(); it.HasNext() == types.True; {
		e := it.Next()
		if nothing(e) {
			continue
		}
		s, ok := scalar(e)
		if _, fraction := e.(types.Double); !ok || fraction {
			return fail("%s takes a text, a whole number or a list of them", name)
		}
		out = append(out, typedAccount(t, s))
	}
	return types.NewRefValList(types.DefaultTypeAdapter, out)
}

func typedAccount(t schemas.AccountType, value string) ref.Val {
	return types.DefaultTypeAdapter.NativeToValue(map[string]any{"type": string(t), "value": value})
}

func downLevel(domain, name ref.Val) ref.Val {
	if nothing(domain) || nothing(name) {
		return types.NullValue
	}
	d, ok := scalar(domain)
	n, fits := scalar(name)
	if !ok || !fits {
		return fail("down_level takes two texts")
	}
	if strings.Contains(d+n, `\`) {
		return fail(`down_level: there is a \ in the domain or in the name already`)
	}
	return typedAccount(schemas.AccountDownLevel, d+`\`+n)
}

var iamUser = regexp.MustCompile(`^arn:aws(-[a-z-]+)?:iam::[0-9]{12}:user/(?:[\x21-\x7e]*/)?([A-Za-z0-9+=,.@_-]{1,64})$`)

// arnUser gives the user name of the ARN of an IAM user. Any other ARN is an error: a role or a session is no account.
func arnUser(s string) ref.Val {
	m := iamUser.FindStringSubmatch(s)
	if m == nil {
		return fail("arn_user: this is not the ARN of an IAM user (arn:aws:iam::…:user/name); roles, sessions and root are not reset")
	}
	return typedAccount(schemas.AccountUserName, m[2])
}

// address gives the address in "Jane Doe <jdoe@example.com>" or mailto:jdoe@example.com, and what is an address already.
func address(s string) ref.Val {
	if len(s) > schemas.MaxAccountBytes {
		return fail("address: the text is too long for an address")
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s, _, _ = strings.Cut(s[7:], "?")
		if strings.Contains(s, "%") {
			return fail("address: the mailto: is escaped")
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return fail("address: this is not one e-mail address")
	}
	return types.String(a.Address)
}
