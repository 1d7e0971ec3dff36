package verify

import (
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/schemas"
)

// maxAliases bounds the identifiers of one subject.
const maxAliases = 32

// subject is whom an event is about.
type subject struct {
	members claimSet       // the identifier of the user, its format by today's name
	complex jsontext.Value // the whole, if it is more than that
	account schemas.Account
	why     string // there is no account
}

// subjectOf finds whom an event is about. Where the token and the event both say it, both must mean the same account:
// a wrong account is worse than none.
func subjectOf(token, event claimSet, issuer string) subject {
	inToken, inEvent := token["sub_id"], event["subject"]
	switch {
	case token.has("sub_id") && event.has("subject"):
		s, other := readSubject(inToken, issuer), readSubject(inEvent, issuer)
		if !sameJSON(inToken, inEvent) && s.account != other.account {
			s.account, s.why = schemas.Account{}, "sub_id and the subject of the event name different accounts"
		}
		return s
	case token.has("sub_id"):
		s := readSubject(inToken, issuer)
		sub, err := token.text("sub")
		own, _ := s.members.text("sub")
		if by, _ := s.members.text("iss"); err != nil || sub != "" && own != "" && sub != own && sameIssuer(by, issuer) {
			s.account, s.why = schemas.Account{}, "sub and sub_id name different accounts"
		}
		return s
	case event.has("subject"):
		return readSubject(inEvent, issuer)
	case token.has("sub"): // an id of the issuer (RFC 7519 §4.1.2)
		by, _ := json.Marshal(issuer)
		return readIdentifier(claimSet{"format": jsontext.Value(`"iss_sub"`), "iss": by, "sub": token["sub"]}, issuer)
	}
	return subject{why: "the token names no subject"}
}

// readSubject reads a subject identifier, or the user of a complex one.
func readSubject(raw jsontext.Value, issuer string) subject {
	members, err := parseClaims(raw)
	if err != nil {
		return subject{why: "the subject is no object"}
	}
	named := members.has("format") || members.has("subject_type")
	if format, _ := formatOf(members); format != "complex" && (named || !members.has("user")) {
		return readIdentifier(members, issuer)
	}
	// Older drafts have complex subjects without a format.
	if !members.has("user") {
		return subject{complex: raw, why: "the subject is no user, but what stands in complex"}
	}
	user, err := parseClaims(members["user"])
	if err != nil {
		return subject{complex: raw, why: "the user of the subject is no object"}
	}
	s := readIdentifier(user, issuer)
	s.complex = raw
	return s
}

// formatOf gives the format by the name of RFC 9493. Older drafts called it subject_type and wrote hyphens.
func formatOf(members claimSet) (format string, ok bool) {
	format, err := members.text("format")
	older, err2 := members.text("subject_type")
	if err != nil || err2 != nil {
		return "", false
	}
	format, older = strings.ReplaceAll(format, "-", "_"), strings.ReplaceAll(older, "-", "_")
	switch {
	case format == "":
		format = older
	case older != "" && older != format:
		return "", false
	}
	return format, format != ""
}

// readIdentifier reads one identifier and tells its account, if that is certain.
func readIdentifier(members claimSet, issuer string) subject {
	format, ok := formatOf(members)
	if !ok {
		return subject{members: members, why: "the subject has no format, or two"}
	}
	flat := claimSet{}
	for name, value := range members {
		if name != "subject_type" {
			flat[name] = value
		}
	}
	flat["format"], _ = json.Marshal(format)
	s := subject{members: flat}
	s.account, s.why = accountOf(format, flat, issuer)
	return s
}

// accountOf tells the account that an identifier names, or why none is certain.
func accountOf(format string, members claimSet, issuer string) (schemas.Account, string) {
	switch format {
	case "email":
		return checked(members, "email", schemas.AccountEmail)
	case "iss_sub":
		return issued(members, issuer)
	case "account":
		return acct(members)
	case "id_token_claims": // of Google, before there were others
		if members.has("email") {
			return checked(members, "email", schemas.AccountEmail)
		}
		return issued(members, issuer)
	case "aliases":
		return oneOfAliases(members, issuer)
	}
	return schemas.Account{}, "a subject of this format names no account for certain; map one from subject if you know what it means"
}

// checked gives the account that stands in a member.
func checked(members claimSet, name string, as schemas.AccountType) (schemas.Account, string) {
	value, err := members.text(name)
	if err != nil {
		return schemas.Account{}, "the " + name + " of the subject is no text"
	}
	return certain(schemas.Account{Type: as, Value: value})
}

// certain gives an account that has the form of its type.
func certain(a schemas.Account) (schemas.Account, string) {
	if err := a.Check(); err != nil {
		return schemas.Account{}, "what the subject names has not the form of its format"
	}
	return a, ""
}

// issued gives the account whose id the transmitter itself made. An id of another issuer means nothing here. One that looks
// like an address (RISC 1.0 has such an example) may be a login name or an e-mail address, and must match exactly one account.
func issued(members claimSet, issuer string) (schemas.Account, string) {
	by, err := members.text("iss")
	if err != nil || !sameIssuer(by, issuer) {
		return schemas.Account{}, "the subject is an id of another issuer than the token's; map subject.sub if you know what it means"
	}
	if sub, _ := members.text("sub"); strings.Contains(sub, "@") {
		return checked(members, "sub", schemas.AccountAddress)
	}
	return checked(members, "sub", schemas.AccountObjectID)
}

// sameIssuer compares issuers, which some write with a slash at the end and some without.
func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// acct reads an acct: URI (RFC 7565), which is what a user logs in with and looks like an e-mail address.
func acct(members claimSet) (schemas.Account, string) {
	uri, err := members.text("uri")
	if err != nil || len(uri) < 5 || !strings.EqualFold(uri[:5], "acct:") {
		return schemas.Account{}, "the uri of the subject does not begin with acct:"
	}
	value, err := url.PathUnescape(uri[5:])
	if err != nil {
		return schemas.Account{}, "the uri of the subject is not encoded as a URI is"
	}
	return certain(schemas.Account{Type: schemas.AccountAddress, Value: value})
}

// oneOfAliases chooses among several identifiers of one subject: the e-mail address, else what it logs in with, else its
// id. Two different ones of a kind leave open which of them the systems know.
func oneOfAliases(members claimSet, issuer string) (schemas.Account, string) {
	var list []claimSet
	if err := json.Unmarshal(members["identifiers"], &list); err != nil || len(list) > maxAliases {
		return schemas.Account{}, "the identifiers of the subject are no list of objects, or too many"
	}
	found := map[schemas.AccountType]schemas.Account{}
	for _, one := range list {
		format, _ := formatOf(one)
		if format == "aliases" { // RFC 9493 §3.2.8
			return schemas.Account{}, "the identifiers of the subject hold aliases again"
		}
		a, why := accountOf(format, one, issuer)
		if why != "" {
			continue
		}
		if other, ok := found[a.Type]; ok && other != a {
			return schemas.Account{}, "the subject has several names of one kind, and which of them counts is not said"
		}
		found[a.Type] = a
	}
	for _, t := range []schemas.AccountType{schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
		if a, ok := found[t]; ok {
			return a, ""
		}
	}
	return schemas.Account{}, "none of the subject's aliases names an account for certain; map one from subject if you know what it means"
}

// sameJSON compares values as RFC 8785 would write them.
func sameJSON(a, b jsontext.Value) bool {
	a, b = a.Clone(), b.Clone()
	return a.Canonicalize() == nil && b.Canonicalize() == nil && string(a) == string(b)
}
