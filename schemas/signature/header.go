package signature

import (
	"net/http"
	"strings"
)

// The three headers, in the canonical form of net/http. On the wire their case
// does not matter.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// MaxSignatures is how many signatures one header may carry, those of unknown
// versions included. It bounds the work that a stranger can cause.
const MaxSignatures = 5

// MaxSignatureHeader is the greatest length of the signature header in bytes.
// Five v1a signatures with their separators take 464.
const MaxSignatureHeader = 1024

const (
	maxIDLen        = 128
	minTimestampLen = 10
	maxTimestampLen = 11
	maxVersionLen   = 16

	versionSymmetric  = "v1"
	versionAsymmetric = "v1a"
)

// What a sender is told whose header is missing.
const (
	adviceStandard = "sign by Standard Webhooks, and let proxies pass the webhook-* headers"
	adviceTemplate = "let the sender sign its deliveries as this source is configured, and proxies pass the header"
)

// single returns the value of a header that must be there exactly once. Get is
// not used: it would silently take the first of two.
func single(h http.Header, canonical, name, advice string) (string, error) {
	values := h[canonical]
	switch {
	case len(values) > 1:
		return "", refuse(ReasonDoubledHeader, "%s came %d times; send it once, and look for a proxy that adds it", name, len(values))
	case len(values) == 0:
		return "", refuse(ReasonMissingHeader, "%s is missing; %s", name, advice)
	case values[0] == "":
		return "", refuse(ReasonMissingHeader, "%s is empty; %s", name, advice)
	}
	return values[0], nil
}

// validHeaderName reports whether name is a token of RFC 9110 §5.6.2.
func validHeaderName(name string) bool {
	for i := range len(name) {
		if !alphanumeric(name[i]) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(name[i])) {
			return false
		}
	}
	return name != "" && len(name) <= maxHeaderNameLen
}

// printable reports whether text has printable ASCII and spaces only.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// validID implements ^[A-Za-z0-9_-]{1,128}$. The specification only forbids the
// full stop, which would let one signed text be cut in two ways.
func validID(id string) bool {
	if len(id) < 1 || len(id) > maxIDLen {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// parseTimestamp reads ^[1-9][0-9]{9,10}$ as Unix seconds: from 2001 to 5138, with
// no sign, no leading zero and nothing after the number, so that a second has one
// spelling.
func parseTimestamp(text string) (seconds int64, ok bool) {
	if len(text) < minTimestampLen || len(text) > maxTimestampLen || text[0] == '0' {
		return 0, false
	}
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		seconds = seconds*10 + int64(c-'0')
	}
	return seconds, true
}
