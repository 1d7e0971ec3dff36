package signature

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxEntries is how many entries of any kind a signature header may have: the time, signatures, and those of other
// versions.
const maxEntries = 16

// strictBase64URL refuses stray bits in the last character, as strictBase64 does.
var (
	strictBase64URL    = base64.URLEncoding.Strict()
	strictRawBase64URL = base64.RawURLEncoding.Strict()
)

// found is what a signature header holds.
type found struct {
	macs [MaxSignatures][sha512.Size]byte
	n    int
	time string // what TimestampPick found
}

// read takes a signature header apart. As with Standard Webhooks, one malformed entry spoils it; an entry of a list
// that has not the form of a signature is left out.
func (l *layout) read(header string) (*found, error) {
	if len(header) > MaxSignatureHeader {
		return nil, refuse(ReasonMalformedSignature, "%s has %d bytes, %d are allowed; send signatures only", l.signatureHeader, len(header), MaxSignatureHeader)
	}
	var c found
	for n, more := 1, true; more; n++ {
		entry := header
		if more = false; l.separator != "" {
			entry, header, more = strings.Cut(header, l.separator)
		}
		if n > maxEntries {
			return nil, tooManySignatures(l.signatureHeader)
		}
		if entry == "" || !printable(entry) || strings.Trim(entry, " ") != entry {
			return nil, refuse(ReasonMalformedSignature, "entry %d of %s is empty or has white space around it; separate the entries as the template says", n, l.signatureHeader)
		}
		if err := l.add(&c, entry, n); err != nil {
			return nil, err
		}
	}
	switch {
	case c.n == 0:
		return nil, refuse(ReasonMalformedSignature, "%s holds no signature of the form that the template describes; compare the prefix", l.signatureHeader)
	case l.timestampPick != nil && c.time == "":
		return nil, refuse(ReasonMalformedTimestamp, "%s holds no time of the form that the template describes", l.signatureHeader)
	}
	return &c, nil
}

// add reads the n-th entry.
func (l *layout) add(c *found, entry string, n int) error {
	if text, ok := pick(l.timestampPick, entry); ok {
		if c.time != "" || text == "" {
			return refuse(ReasonMalformedTimestamp, "%s holds more than one time, or an empty one; send one", l.signatureHeader)
		}
		c.time = text
		return nil
	}
	text, ok := pick(l.pick, entry)
	if l.pick == nil {
		text, ok = strings.CutPrefix(entry, l.prefix)
	}
	switch {
	case !ok && l.separator != "":
		return nil
	case !ok:
		return refuse(ReasonMalformedSignature, "%s does not begin with the prefix of the template, %q", l.signatureHeader, l.prefix)
	case c.n == MaxSignatures:
		return tooManySignatures(l.signatureHeader)
	case !decode(l.encoding, c.macs[c.n][:l.size], text):
		return refuse(ReasonMalformedSignature, "entry %d of %s is not %d bytes in %s; send the MAC uncut and nothing beside it", n, l.signatureHeader, l.size, encodingNames[l.encoding])
	}
	c.n++
	return nil
}

// pick returns the group of an expression that matches text.
func pick(expression *regexp.Regexp, text string) (string, bool) {
	if expression == nil {
		return "", false
	}
	groups := expression.FindStringSubmatch(text)
	if groups == nil {
		return "", false
	}
	return groups[1], true
}

var encodingNames = map[string]string{
	"hex": "hexadecimal of one case", "base64": "padded standard base64", "base64url": "base64 of the URL alphabet",
}

// decode fills dst from text, which must have exactly its length and be spelled as an encoder would.
func decode(encoding string, dst []byte, text string) bool {
	raw, ok := decodeText(encoding, text)
	return ok && copy(dst, raw) == len(raw) && len(raw) == len(dst)
}

// decodeText decodes hexadecimal of one case, padded standard base64, or base64 of the URL alphabet with or without its
// padding. There are no line breaks, no stray bits, and nothing around it.
func decodeText(encoding, text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which package base64 skips
		return nil, false
	}
	var raw []byte
	var err error
	switch encoding {
	case "base64":
		raw, err = strictBase64.DecodeString(text)
	case "base64url":
		if strings.HasSuffix(text, "=") {
			raw, err = strictBase64URL.DecodeString(text)
		} else {
			raw, err = strictRawBase64URL.DecodeString(text)
		}
	default:
		if text != strings.ToLower(text) && text != strings.ToUpper(text) {
			return nil, false
		}
		raw, err = hex.DecodeString(text)
	}
	return raw, err == nil
}

// encode is the other direction. It writes hexadecimal in lower case, and the URL alphabet without padding.
func encode(encoding string, raw []byte) string {
	switch encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(raw)
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(raw)
	default:
		return hex.EncodeToString(raw)
	}
}
