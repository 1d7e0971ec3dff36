package verify

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
)

// The bounds of what a proxy hands over, and of what comes with a handshake.
const (
	maxHandedOver = 32 << 10 // bytes of the header
	maxChain      = 10       // certificates, the sender's own included
)

const (
	pemBegin = "-----BEGIN CERTIFICATE-----"
	pemEnd   = "-----END CERTIFICATE-----"
)

// parseHandedOver reads a certificate from a proxy's header: URL-encoded PEM, as nginx ($ssl_client_escaped_cert) and AWS
// load balancers write it, with the rest of the chain behind it if the proxy adds that; or the base64 of the DER between
// colons (RFC 9440 §2.1). Which of the two it is shows in the first character.
func parseHandedOver(text string) (leaf *x509.Certificate, between []*x509.Certificate, err error) {
	if len(text) > maxHandedOver {
		return nil, nil, unreadable("it is longer than any certificate")
	}
	var all [][]byte
	if strings.HasPrefix(text, ":") {
		encoded := strings.TrimSuffix(text[1:], ":")
		der, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(encoded) != len(text)-2 || strings.ContainsAny(encoded, "\r\n") {
			return nil, nil, unreadable("it begins with a colon and is not :base64: as RFC 9440 has it")
		}
		all = [][]byte{der}
	} else if all, err = decodePEM(text); err != nil {
		return nil, nil, err
	}
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err != nil { // the text of the error quotes what came
			return nil, nil, unreadable("what it holds is no certificate")
		}
		between = append(between, c)
	}
	return between[0], between[1:], nil
}

// decodePEM gives the certificates of URL-encoded PEM, one at least. The plus sign stands for itself: nginx escapes it, AWS
// does not, and nobody writes a space that way.
func decodePEM(text string) ([][]byte, error) {
	plain, err := url.PathUnescape(text)
	if err != nil || !strings.HasPrefix(plain, pemBegin) {
		return nil, unreadable("it is neither URL-encoded PEM nor :base64:")
	}
	var all [][]byte
	for rest := plain; rest != ""; rest = strings.TrimLeft(rest, "\r\n") {
		one, more, whole := strings.Cut(rest, pemEnd)
		// pem.Decode would skip whatever it cannot read before a block, and a block that is broken.
		if !whole || !strings.HasPrefix(one, pemBegin) || strings.Count(one, "-----") != 2 {
			return nil, unreadable("something stands in it beside certificates")
		}
		block, after := pem.Decode([]byte(one + pemEnd + "\n"))
		if block == nil || len(block.Headers) > 0 || len(after) > 0 {
			return nil, unreadable("a certificate in it is broken")
		}
		if len(all) == maxChain {
			return nil, unreadable("it holds too many certificates")
		}
		all, rest = append(all, block.Bytes), more
	}
	return all, nil
}

func unreadable(why string) error {
	return refuse(ReasonWrongCertificate, "the certificate that the proxy handed over cannot be read: %s; let it send $ssl_client_escaped_cert (nginx) or Client-Cert (RFC 9440)", why)
}
