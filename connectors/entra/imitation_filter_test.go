package entra_test

import (
	"errors"
	"strings"
)

// match evaluates the part of OData's filters that the imitation knows: comparisons with eq, joined by or, and any over
// proxyAddresses. Everything else is a syntax error, as an unescaped name would be.
func match(filter string, r record, id string) (bool, error) {
	rest := filter
	found := false
	for {
		one, err := comparison(&rest, r, id)
		if err != nil {
			return false, err
		}
		found = found || one
		if rest == "" {
			return found, nil
		}
		if !strings.HasPrefix(rest, " or ") {
			return false, errors.New("syntax")
		}
		rest = rest[len(" or "):]
	}
}

func comparison(rest *string, r record, id string) (bool, error) {
	if after, ok := strings.CutPrefix(*rest, "proxyAddresses/any(p:p eq "); ok {
		*rest = after
		value, err := literal(rest)
		if err != nil || !strings.HasPrefix(*rest, ")") {
			return false, errors.New("syntax")
		}
		*rest = (*rest)[1:]
		for _, p := range r.proxies {
			if strings.EqualFold(p, value) {
				return true, nil
			}
		}
		return false, nil
	}
	name, after, ok := strings.Cut(*rest, " eq ")
	if !ok {
		return false, errors.New("syntax")
	}
	*rest = after
	value, err := literal(rest)
	if err != nil {
		return false, err
	}
	properties := map[string]string{"id": id, "mail": r.mail, "userPrincipalName": r.upn,
		"onPremisesSamAccountName": r.sam, "onPremisesSecurityIdentifier": r.sid}
	have, known := properties[name]
	if !known {
		return false, errors.New("unknown property")
	}
	return have != "" && strings.EqualFold(have, value), nil
}

// literal reads a string in quotes, in which a quote is doubled.
func literal(rest *string) (string, error) {
	s := *rest
	if !strings.HasPrefix(s, "'") {
		return "", errors.New("no string")
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			out.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '\'':
			out.WriteByte('\'')
			i++
		default:
			*rest = s[i+1:]
			return out.String(), nil
		}
	}
	return "", errors.New("no end of the string")
}
