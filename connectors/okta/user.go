package okta

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
)

// user is what resetd reads of an account.
type user struct {
	ID              string         `json:"id"`
	Status          string         `json:"status"`
	Transition      string         `json:"transitioningToStatus"`
	StatusChanged   time.Time      `json:"statusChanged"`
	PasswordChanged time.Time      `json:"passwordChanged"`
	Profile         map[string]any `json:"profile"`
	Credentials     struct {
		Provider struct {
			Type string `json:"type"`
			Name string `json:"name"`
		} `json:"provider"`
	} `json:"credentials"`
}

// text gives an attribute of the profile, or nothing if it is no text.
func (u user) text(attribute string) string {
	s, _ := u.Profile[attribute].(string)
	return s
}

func (u user) login() string { return u.text("login") }

// The statuses that change how resetd acts.
const (
	statusExpired  = "PASSWORD_EXPIRED"
	statusRecovery = "RECOVERY"
	statusLocked   = "LOCKED_OUT"
	statusGone     = "DEPROVISIONED"
)

// standing is what a status means to us.
type standing struct {
	enabled bool   // the account can sign in, now or after a step that its user takes alone
	words   string // for a person
	refuse  string // why a reset is refused; empty if it is not
}

// standings are Okta's user statuses.
var standings = map[string]standing{
	"ACTIVE":       {enabled: true, words: "the account is active"},
	statusExpired:  {enabled: true, words: "the password has expired and must be changed"},
	statusRecovery: {enabled: true, words: "a recovery is under way: no password works until the user has set a new one"},
	statusLocked:   {enabled: true, words: "the account is locked out after failed sign-ins"},
	"PROVISIONED": {enabled: true, words: "the user has not yet set a first password",
		refuse: "its user has not yet set a first password, so there is none to reset; if the activation mail may be in wrong hands, deactivate the account"},
	"STAGED": {words: "the account was never activated",
		refuse: "it was never activated and cannot sign in; activate it first, or leave it"},
	"SUSPENDED": {words: "the account is suspended",
		refuse: "it is suspended and cannot sign in, and a reset could end the suspension; unsuspend it first, or leave it"},
	statusGone: {words: "the account is deactivated",
		refuse: "it is deactivated: it cannot sign in and has no password any more"},
}

// standing gives the meaning of the account's status.
func (u user) standing() standing {
	if s, known := standings[u.Status]; known {
		return s
	}
	return standing{words: "the account has a status that resetd does not know",
		refuse: "its status is one that resetd does not know, so what a reset would do is not known; look at it in the Admin Console"}
}

// mustChange tells whether Okta lets nobody in before a new password is set.
func (u user) mustChange() bool { return u.Status == statusExpired || u.Status == statusRecovery }

// evidence is Okta's own record. The times have a grain of one second, see overSecond.
func (u user) evidence() schemas.Evidence {
	e := schemas.Evidence{PasswordChangedAt: u.PasswordChanged.UTC(), MustChange: u.mustChange(), Marker: u.Status}
	if !u.StatusChanged.IsZero() {
		e.Marker += " " + u.StatusChanged.UTC().Format(time.RFC3339Nano)
	}
	return e
}

// origin tells where the password lives, by the provider that checks it, and says so in words. Okta names a provider for
// every account; one that is not known may keep the password anywhere.
func (u user) origin() (schemas.Origin, string, *schemas.Failure) {
	p := u.Credentials.Provider
	switch p.Type {
	case "OKTA":
		return schemas.OriginNative, "Okta checks the password", nil
	case "IMPORT": // a hash from elsewhere, that Okta itself holds and checks
		return schemas.OriginNative, "Okta checks the password, by a hash that was imported", nil
	case "ACTIVE_DIRECTORY":
		return schemas.OriginSynced, "Active Directory (" + p.Name + ") checks the password", nil
	case "LDAP":
		return schemas.OriginSynced, "an LDAP directory (" + p.Name + ") checks the password", nil
	case "FEDERATION":
		return schemas.OriginFederated, "another identity provider (" + p.Name + ") signs the user in; Okta holds no password", nil
	case "SOCIAL":
		return schemas.OriginFederated, "a social identity provider (" + p.Name + ") signs the user in; Okta holds no password", nil
	}
	return "", "", schemas.Fail(schemas.CodeUnexpected, "Okta does not say who checks the password of %s in a way that resetd knows (credentials.provider.type); "+
		"see whether resetd's role may read all of the user, and look at the account in the Admin Console", u.login())
}

// source is how the account is named in the directory that it is copied from.
func (u user) source(attribute string) *schemas.Account {
	if attribute != "" {
		if a, err := schemas.ParseAccount(u.text(attribute)); err == nil {
			return &a
		}
	}
	a := schemas.Account{Type: schemas.AccountLogin, Value: u.login()}
	if a.Check() != nil {
		return nil
	}
	return &a
}

// loginIs tells whether a login is meant. Okta keeps logins unique without regard to case and diacritical marks; what
// differs in a mark is not taken for the same here, because who wrote it may have meant somebody else.
func (u user) loginIs(value string) bool { return same(u.login(), value) }

// shortIs tells whether the login, or what stands before its @, is meant.
func (u user) shortIs(value string) bool {
	short, _, _ := strings.Cut(u.login(), "@")
	return u.loginIs(value) || same(short, value)
}

// same compares names without case, but never a letter of ASCII with one that merely folds to it, such as the sign for
// Kelvin with k: that would be somebody else's name.
func same(a, b string) bool {
	for a != "" && b != "" {
		r, n := utf8.DecodeRuneInString(a)
		s, m := utf8.DecodeRuneInString(b)
		if (r < utf8.RuneSelf) != (s < utf8.RuneSelf) || !strings.EqualFold(a[:n], b[:m]) {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}
