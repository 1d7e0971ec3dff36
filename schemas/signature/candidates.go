package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
)

// The lengths of signatures in padded base64.
const (
	symmetricLen  = (sha256.Size + 2) / 3 * 4
	asymmetricLen = (ed25519.SignatureSize + 2) / 3 * 4
)

// candidates are the signatures of one delivery, decoded, by kind.
type candidates struct {
	symmetric   [MaxSignatures][sha256.Size]byte
	asymmetric  [MaxSignatures][ed25519.SignatureSize]byte
	nSymmetric  int
	nAsymmetric int
}

// parse reads the signature header: 1 to MaxSignatures entries "version,value"
// with one space between them. One malformed entry spoils the header, since a
// sender that garbles one has no claim to a guess about the others.
func (c *candidates) parse(header string) error {
	if len(header) > MaxSignatureHeader {
		if strings.Count(header[:MaxSignatureHeader], " ") >= MaxSignatures {
			return tooManySignatures("webhook-signature")
		}
		return refuse(ReasonMalformedSignature, "webhook-signature has %d bytes, %d are allowed; send signatures only", len(header), MaxSignatureHeader)
	}
	for n := 1; ; n++ {
		if n > MaxSignatures {
			return tooManySignatures("webhook-signature")
		}
		entry, rest, more := strings.Cut(header, " ")
		if err := c.add(entry, n); err != nil {
			return err
		}
		if !more {
			return nil
		}
		header = rest
	}
}

// add decodes the n-th entry. An entry of an unknown version is checked for its
// form and left out: a sender may already sign with a version of the future.
func (c *candidates) add(entry string, n int) error {
	version, value, ok := strings.Cut(entry, ",")
	if !ok || !wellFormed(version, value) {
		return refuse(ReasonMalformedSignature, "signature %d is not one version, one comma and one base64 value; separate signatures by one space", n)
	}
	switch version {
	case versionSymmetric:
		var buffer [symmetricLen]byte
		if len(value) != symmetricLen || !decodeExactly(c.symmetric[c.nSymmetric][:], buffer[:copy(buffer[:], value)]) {
			return refuse(ReasonMalformedSignature, "signature %d (v1) is not %d bytes in padded standard base64; send the MAC uncut", n, sha256.Size)
		}
		c.nSymmetric++
	case versionAsymmetric:
		var buffer [asymmetricLen]byte
		if len(value) != asymmetricLen || !decodeExactly(c.asymmetric[c.nAsymmetric][:], buffer[:copy(buffer[:], value)]) {
			return refuse(ReasonMalformedSignature, "signature %d (v1a) is not %d bytes in padded standard base64; send the signature uncut", n, ed25519.SignatureSize)
		}
		c.nAsymmetric++
	}
	return nil
}

// wellFormed reports whether a version has 1 to 16 letters and digits, and a value
// consists of base64 characters; the other comma of "v1,x,y" fails here.
func wellFormed(version, value string) bool {
	if version == "" || len(version) > maxVersionLen || value == "" {
		return false
	}
	for i := range len(version) {
		if !alphanumeric(version[i]) {
			return false
		}
	}
	for i := range len(value) {
		if c := value[i]; !alphanumeric(c) && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// decodeExactly fills dst from src. The lengths of both are fixed and src holds no
// line breaks, so exactly one text decodes to a given dst.
func decodeExactly(dst, src []byte) bool {
	// Without padding the last group holds more bytes than dst has.
	var buffer [asymmetricLen / 4 * 3]byte
	n, err := strictBase64.Decode(buffer[:], src)
	return err == nil && n == len(dst) && copy(dst, buffer[:n]) == n
}

func tooManySignatures(header string) error {
	return refuse(ReasonTooManySignatures, "%s carries more than %d signatures; send those of the current and the previous key", header, MaxSignatures)
}
