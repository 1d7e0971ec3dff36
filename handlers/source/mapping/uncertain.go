package mapping

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/resetd/resetd/schemas"
)

// suspicion is a form that a value can have which makes it no account that somebody would be sure of.
type suspicion struct {
	why   string
	holds func(n named, v value) bool
}

// value is an account taken apart, in lower case: the whole, the name without its domain, and the domain; below tells that
// the domain stands before a \ and not behind an @.
type value struct {
	whole, name, domain string
	below               bool
}

// suspicions are looked at in order; the first that holds is told. A wrong account is worse than none: whoever is named by
// mistake loses his password, and whoever was meant keeps it. What is merely privileged (root, Administrator) is no
// business of this table but of the guard. HOST\name has the form of DOMAIN\name; a mapping that knows the host's name has
// to leave it out by a rule.
var suspicions = []suspicion{
	{"it is a template that the sender did not fill in", func(n named, _ value) bool {
		return unfilled.MatchString(n.Value)
	}},
	{"it is masked or cut off", func(n named, v value) bool {
		return strings.Contains(n.Value, "*") && n.Value != "*" || strings.Contains(v.whole, "redacted") ||
			strings.HasSuffix(n.Value, "…") || strings.HasSuffix(n.Value, "...")
	}},
	{"it names nobody in particular", func(_ named, v value) bool { return anybody[v.whole] || v.below && anybody[v.name] }},
	{"it is an ARN, which may name a role, a session or a root; take the user out of it with arn_user()", func(_ named, v value) bool {
		return strings.HasPrefix(v.whole, "arn:")
	}},
	{"it is the id of a role, a session or an access key, and no account", func(n named, _ value) bool {
		return awsID.MatchString(n.Value)
	}},
	{"it is a well-known or built-in SID, which names no account of a person", func(_ named, v value) bool {
		return strings.HasPrefix(v.whole, "s-1-") && !personalSID.MatchString(v.whole)
	}},
	{"it is an account of the operating system or of a service", func(n named, v value) bool {
		return v.whole == "system@okta.com" || strings.HasPrefix(v.whole, "system:") || strings.HasSuffix(v.domain, "gserviceaccount.com") ||
			!isAddress(n) && (system[v.name] || windowManager.MatchString(v.name))
	}},
	{"it is local to a machine, or belongs to its operating system; name the directory's account", func(n named, v value) bool {
		_, err := netip.ParseAddr(strings.Trim(v.domain, "[]"))
		return v.domain != "" && (localDomains[v.domain] || err == nil || isAddress(n) && !strings.Contains(v.domain, "."))
	}},
	{"it is the account of a machine or a managed service: its name ends with $", func(n named, v value) bool {
		return n.Type != schemas.AccountDN && strings.HasSuffix(v.name, "$")
	}},
	{"it may be several accounts in one text; split it, and give a list", func(n named, v value) bool {
		return n.Type != schemas.AccountDN && strings.Count(n.Value, "@") > 1 && strings.ContainsAny(n.Value, ",; \n\r\t")
	}},
	{"it is an address inside of a text; take the address out with address()", func(n named, v value) bool {
		return n.Type != schemas.AccountDN && (strings.ContainsAny(n.Value, `<>"`) || strings.HasPrefix(v.whole, "mailto:") ||
			isAddress(n) && strings.ContainsFunc(n.Value, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' }))
	}},
	{"it is a URL or a path, and no account", func(_ named, v value) bool {
		return strings.Contains(v.whole, "://") || strings.HasPrefix(v.whole, "/")
	}},
	{"it is a distinguished name; say so with account_type: dn, or with dn()", func(n named, _ value) bool {
		return n.Type != schemas.AccountDN && distinguished.MatchString(n.Value)
	}},
	{"it may be several accounts in one text; split it, and give a list", func(n named, _ value) bool {
		return n.Type != schemas.AccountDN && strings.ContainsAny(n.Value, ",;|\n\r\t")
	}},
	{"it is the name of a service (HTTP/host), or has a / that no account has", func(n named, v value) bool {
		return strings.Contains(v.name, "/") && (!n.explicit && n.Type == schemas.AccountUserName || isAddress(n))
	}},
	{`it has the form DOMAIN\name; leave account_type out, or give the name alone`, func(n named, v value) bool {
		return v.below && n.Type != schemas.AccountDownLevel && n.Type != schemas.AccountDN
	}},
	{"it is the address of a machine", func(_ named, v value) bool {
		_, err := netip.ParseAddr(v.name)
		return err == nil
	}},
	{"it has no letter and no digit", func(n named, _ value) bool {
		return !strings.ContainsFunc(n.Value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	}},
	{"it has a character that no such name has, such as : before a password", func(n named, v value) bool {
		return !n.explicit && n.Type == schemas.AccountUserName && strings.ContainsAny(n.Value, "[]{}()<>:=?\"`!") ||
			isAddress(n) && strings.ContainsFunc(v.domain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-' })
	}},
	{"it may be a name that is shown, and not the account's; set account_type: user_name if accounts have spaces", func(n named, _ value) bool {
		return !n.explicit && n.Type == schemas.AccountUserName && strings.ContainsFunc(n.Value, unicode.IsSpace)
	}},
	{"it is a number, which may be an identifier of any kind; set account_type if it names an account", func(n named, _ value) bool {
		return !n.explicit && strings.Trim(n.Value, "0123456789.-+") == ""
	}},
	{"it may be the identifier of a record, and no account; set account_type if it names one", func(n named, _ value) bool {
		return !n.explicit && hexID.MatchString(n.Value)
	}},
}

var (
	// {{user}}, ${user}, #{user}, %{user}, <% user %>, [[user]]; and $result.user$, $user, %user%, <user>, [user], {user}
	// as a whole. {…} around a GUID is taken off before.
	unfilled = regexp.MustCompile(`\{\{|\}\}|[$#%@]\{|<%|%>|\[\[|\]\]|^\$[A-Za-z_(]|^\$.*\$$|^%.*%$|^<[^<>@]*>$|^\[.*\]$|^\{.*\}$|^@[A-Za-z_.]+@$`)

	awsID         = regexp.MustCompile(`^(AKIA|ASIA|AROA|ABIA|ACCA)[A-Z0-9]{12,}(:|$)`)
	personalSID   = regexp.MustCompile(`^s-1-(5-21(-[0-9]+){4}|12-1(-[0-9]+){4})$`)
	windowManager = regexp.MustCompile(`^(dwm|umfd)-[0-9]+$`)
	distinguished = regexp.MustCompile(`^(?i:cn|uid|ou|dc|o|sn|mail|userid)\s*=`)
	hexID         = regexp.MustCompile(`^(?:[0-9a-fA-F]{24}|[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)
)

// nobody is what senders write where they know no user. It counts as if nothing were there.
var nobody = set("-", "--", "n/a", "na", "n.a.", "#n/a", "null", "(null)", "nil", "<nil>", "none", "(none)", "undefined", "(undefined)", "unknown",
	"(unknown)", "unknown user", "not available", "not applicable", "not found", "no user", "empty", "(empty)", "(blank)", "?", "nan", "[]", "{}")

// anybody are words that name no single account.
var anybody = set("*", "all", "any", "everyone", "everybody", "anyone", "anonymous", "multiple", "various", "several", "true", "false",
	"[object object]")

// system are the accounts of operating systems, by their English names and those of the more frequent translations.
var system = set("system", "local service", "localservice", "network service", "networkservice", "local system", "localsystem", "anonymous logon",
	"système", "service local", "service réseau", "lokaler dienst", "netzwerkdienst", "iusr", "trustedinstaller", "defaultaccount", "wdagutilityaccount")

// localDomains are what stands before the \ of an account that no directory has, or behind the @.
var localDomains = set(".", "nt authority", "autorite nt", "nt-autorität", "nt-autoritaet", "nt service", "nt virtual machine", "builtin",
	"vordefiniert", "window manager", "font driver host", "iis apppool", "workgroup", "localhost", "localhost.localdomain", "localdomain",
	"localmachine", "azuread", "microsoftaccount", "app package authority", "internet", "virtual users")

func set(words ...string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[w] = true
	}
	return out
}

// uncertain gives the reason why a value is not taken as an account; nil if there is none. What the value's type demands of
// its form is told by schemas.Account.Check.
func uncertain(n named) error {
	whole := strings.ToLower(n.Value)
	v := value{whole: whole, name: whole}
	if domain, name, found := strings.Cut(whole, `\`); found {
		v.domain, v.name, v.below = domain, name, true
	} else if i := strings.LastIndex(whole, "@"); i >= 0 && n.Type != schemas.AccountDN {
		v.domain, v.name = whole[i+1:], whole[:i]
	}
	for _, s := range suspicions {
		if s.holds(n, v) {
			return errors.New(s.why)
		}
	}
	return nil
}

func isAddress(n named) bool {
	return n.Type == schemas.AccountAddress || n.Type == schemas.AccountEmail
}

func validType(t schemas.AccountType) bool { return slices.Contains(schemas.AccountTypes(), t) }
