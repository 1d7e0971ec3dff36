package schemas

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// AccountType says how the value of an Account is to be read. A connector never tries another type than the one given:
// a wrong guess resets somebody else's password.
type AccountType string

// The account types. AccountAddress is what a plain string with an @ becomes: it may be a login name (a user principal
// name) or an e-mail address, and must match exactly one account.
const (
	AccountUserName  AccountType = "user_name"
	AccountAddress   AccountType = "login_or_email"
	AccountLogin     AccountType = "login"
	AccountEmail     AccountType = "email"
	AccountDownLevel AccountType = "down_level_logon_name"
	AccountSID       AccountType = "sid"
	AccountObjectID  AccountType = "object_id"
	AccountDN        AccountType = "dn"
)

// AccountTypes lists every account type.
func AccountTypes() []AccountType {
	return []AccountType{AccountUserName, AccountAddress, AccountLogin, AccountEmail, AccountDownLevel, AccountSID, AccountObjectID, AccountDN}
}

// MaxAccountBytes bounds the value of an account. A distinguished name is the longest that occurs in practice; an
// e-mail address ends at 254 (RFC 5321 §4.5.3.1), a user principal name at 1024.
const MaxAccountBytes = 1024

// Account names one account as the sender knows it.
type Account struct {
	Type  AccountType `json:"type"`
	Value string      `json:"value"`
}

// ErrAccount marks every error about the form of an account.
var ErrAccount = errors.New("account not usable")

var (
	sidForm  = regexp.MustCompile(`^S-1-[0-9]{1,15}(-[0-9]{1,10}){1,15}$`)
	guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// ParseAccount reads a plain string by one fixed rule: DOMAIN\name is a down-level logon name, S-1-… a SID, a GUID an
// object id, something with @ a login name or e-mail address, and anything else a user name. It returns an error that
// wraps ErrAccount, beside the account as far as it was read, when the string has the mark of a type but not its form; it
// never falls back to another type.
func ParseAccount(s string) (Account, error) {
	a := Account{Type: AccountUserName, Value: s}
	upper := s
	if len(s) > 0 && s[0] == 's' { // a letter that merely becomes S in upper case, such as U+017F, makes no SID
		upper = "S" + s[1:]
	}
	switch {
	case strings.Contains(s, `\`):
		a.Type = AccountDownLevel
	case strings.HasPrefix(upper, "S-1-"):
		a.Type, a.Value = AccountSID, upper
	case guidForm.MatchString(bareGUID(s)):
		a.Type, a.Value = AccountObjectID, bareGUID(s)
	case strings.Contains(s, "@"):
		a.Type = AccountAddress
	}
	return a, a.Check()
}

// Check tells whether the account is well formed: known type, printable value within MaxAccountBytes, and the form that
// the type demands. Every error wraps ErrAccount and says what to send instead.
func (a Account) Check() error {
	if err := CheckText(a.Value, MaxAccountBytes, false); err != nil {
		return fmt.Errorf("%w: %w", ErrAccount, err)
	}
	if a.Value == "" {
		return fmt.Errorf("%w: it is empty; send a login name, e-mail address, DOMAIN\\name, SID or object id", ErrAccount)
	}
	if strings.TrimSpace(a.Value) != a.Value {
		return fmt.Errorf("%w: it begins or ends with white space; send it without", ErrAccount)
	}
	switch a.Type {
	case AccountUserName, AccountLogin, AccountDN:
		return nil
	case AccountAddress, AccountEmail:
		local, domain, _ := strings.Cut(a.Value, "@")
		if local == "" || domain == "" || strings.ContainsAny(domain, "@ ") {
			return fmt.Errorf("%w: it must have one @ with text on both sides", ErrAccount)
		}
	case AccountDownLevel:
		domain, name, _ := strings.Cut(a.Value, `\`)
		if domain == "" || name == "" || strings.ContainsAny(name, `\/@`) || domain == "." {
			return fmt.Errorf(`%w: a down-level logon name is DOMAIN\name, with one backslash; an account local to a host is not reset`, ErrAccount)
		}
	case AccountSID:
		if !sidForm.MatchString(a.Value) {
			return fmt.Errorf("%w: a SID looks like S-1-5-21-1111-2222-3333-1001", ErrAccount)
		}
	case AccountObjectID:
		if !guidForm.MatchString(a.Value) && strings.ContainsFunc(a.Value, unicode.IsSpace) {
			return fmt.Errorf("%w: an object id has no white space", ErrAccount)
		}
	default:
		return fmt.Errorf("%w: unknown type; use one of user_name, login, email, login_or_email, down_level_logon_name, sid, object_id, dn", ErrAccount)
	}
	return nil
}

// String gives the value alone, as a person would write it.
func (a Account) String() string { return a.Value }

// Key is the account as history search compares it: lower case, because directories compare names without case.
func (a Account) Key() string { return strings.ToLower(a.Value) }

// UnmarshalJSON takes a plain string, read by ParseAccount, or an object {"type","value"}. It leaves the form to Check, so
// that the validator can name a bad account together with every other bad field.
func (a *Account) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("%w: %w", ErrAccount, err)
		}
		*a, _ = ParseAccount(s)
		return nil
	}
	type plain Account
	var p plain
	if err := json.Unmarshal(jsontext.Value(b), &p, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf(`%w: it must be a string or {"type": …, "value": …}`, ErrAccount)
	}
	if p.Type == AccountObjectID && guidForm.MatchString(bareGUID(p.Value)) {
		p.Value = bareGUID(p.Value)
	}
	*a = Account(p)
	return nil
}

// CheckText refuses what has no place in a name or a line of text and could deceive whoever reads it: bytes that are
// not UTF-8, control characters, and invisible or direction-changing characters (Unicode categories Cc, Cf, Co, Cs, the
// line separators, and letters that show nothing, such as U+3164; CVE-2021-42574 shows what they are good for). With
// lines set, tab, line feed, and carriage return before line feed pass.
func CheckText(s string, maxBytes int, lines bool) error {
	if len(s) > maxBytes {
		return fmt.Errorf("it is %d bytes long; at most %d are taken", len(s), maxBytes)
	}
	if !utf8.ValidString(s) {
		return errors.New("it is not valid UTF-8")
	}
	for i, r := range s {
		if lines && (r == '\n' || r == '\t' || r == '\r' && strings.HasPrefix(s[i+1:], "\n")) {
			continue
		}
		if r < utf8.RuneSelf {
			if r < 0x20 || r == 0x7f {
				return fmt.Errorf("it holds the control character U+%04X at byte %d; send it without", r, i)
			}
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) || r == utf8.RuneError {
			return fmt.Errorf("it holds the invisible or direction-changing character U+%04X at byte %d; send it without", r, i)
		}
	}
	return nil
}

func bareGUID(s string) string {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	return strings.ToLower(s)
}
