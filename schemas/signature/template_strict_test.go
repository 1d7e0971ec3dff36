package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// macOf signs with the standard library alone.
func macOf(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// The strictness table of signature headers: every row is of the right MAC, so that only its spelling can be the reason
// of the refusal.
func TestSpellingsOfASignature(t *testing.T) {
	// The body is chosen for a MAC whose base64 has both letters of which the alphabets differ.
	body, mac := "", []byte(nil)
	for i := 0; !strings.Contains(base64.StdEncoding.EncodeToString(mac), "+") || !strings.Contains(base64.StdEncoding.EncodeToString(mac), "/"); i++ {
		body = strings.Repeat("x", i)
		mac = macOf(templateKey, body)
	}
	hexa, std := hex.EncodeToString(mac), base64.StdEncoding.EncodeToString(mac)
	url := base64.URLEncoding.EncodeToString(mac)
	short := strings.TrimRight(url, "=")
	stray := func(s string) string { // one other character with the same four upper bits
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		return s[:42] + string(alphabet[strings.IndexByte(alphabet, s[42])+1]) + s[43:]
	}
	malformed := signature.ReasonMalformedSignature
	rows := []struct {
		name, encoding, prefix, header string
		want                           signature.Reason // empty: accepted
	}{
		{"hex", "", "", hexa, ""},
		{"hex in capitals", "", "", strings.ToUpper(hexa), ""},
		{"hex with a prefix", "", "sha256=", "sha256=" + hexa, ""},
		{"base64", "base64", "", std, ""},
		{"base64 with a prefix and a space", "base64", "HMAC ", "HMAC " + std, ""},
		{"base64url", "base64url", "", url, ""},
		{"base64url without padding", "base64url", "", short, ""},

		{"hex of two cases", "", "", strings.ToUpper(hexa[:30]) + hexa[30:], malformed},
		{"hex with 0x", "", "", "0x" + hexa, malformed},
		{"hex of 31 bytes", "", "", hexa[:62], malformed},
		{"hex of 33 bytes", "", "", hexa + "00", malformed},
		{"hex with half a byte more", "", "", hexa + "0", malformed},
		{"hex twice", "", "", hexa + hexa, malformed},
		{"hex in quotes", "", "", `"` + hexa + `"`, malformed},
		{"hex with a comma behind", "", "", hexa + ",", malformed},
		{"two joined by a proxy", "", "", hexa + ", " + hexa, malformed},
		{"hex with a letter beyond f", "", "", "g" + hexa[1:], malformed},
		{"hex with a space before", "", "", " " + hexa, malformed},
		{"hex with a space behind", "", "", hexa + " ", malformed},
		{"hex with a tab", "", "", hexa + "\t", malformed},
		{"hex with a line break", "", "", hexa + "\n", malformed},
		{"hex with a zero byte", "", "", hexa + "\x00", malformed},
		{"hex with a wide digit", "", "", "０" + hexa[1:], malformed},
		{"hex where base64 is asked for", "base64", "", hexa, malformed},
		{"no prefix", "", "sha256=", hexa, malformed},
		{"the prefix in capitals", "", "sha256=", "SHA256=" + hexa, malformed},
		{"the prefix twice", "", "sha256=", "sha256=sha256=" + hexa, malformed},
		{"the prefix alone", "", "sha256=", "sha256=", malformed},
		{"a weaker prefix", "", "sha256=", "sha1=" + hexa[:40], malformed},
		{"a space behind the prefix", "", "sha256=", "sha256= " + hexa, malformed},
		{"two spaces behind the prefix", "base64", "HMAC ", "HMAC  " + std, malformed},

		{"base64 without padding", "base64", "", std[:43], malformed},
		{"base64 with more padding", "base64", "", std + "=", malformed},
		{"base64 with a line break", "base64", "", std[:20] + "\r\n" + std[20:], malformed},
		{"base64 with a line break behind", "base64", "", std + "\n", malformed},
		{"base64 with a space", "base64", "", std[:20] + " " + std[20:], malformed},
		{"base64 with stray bits", "base64", "", stray(std), malformed},
		{"base64 of the URL alphabet", "base64", "", url, malformed},
		{"base64 of 31 bytes", "base64", "", base64.StdEncoding.EncodeToString(mac[:31]), malformed},
		{"base64 of 33 bytes", "base64", "", base64.StdEncoding.EncodeToString(append([]byte{0}, mac...)), malformed},
		{"base64 of the hexadecimal", "base64", "", base64.StdEncoding.EncodeToString([]byte(hexa)), malformed},
		{"base64url of the standard alphabet", "base64url", "", std, malformed},
		{"base64url with stray bits", "base64url", "", stray(url), malformed},
		{"base64url with stray bits without padding", "base64url", "", stray(short), malformed},
		{"base64url with a line break", "base64url", "", short[:20] + "\n" + short[20:], malformed},
		{"base64url with more padding", "base64url", "", url + "=", malformed},
		{"more than 1024 bytes", "", "", strings.Repeat(hexa, 17), malformed},
		{"all zeros", "", "", strings.Repeat("0", 64), signature.ReasonNoMatch},
		{"empty", "", "", "", signature.ReasonMissingHeader},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			template := signature.Template{SignatureHeader: "x-signature", Encoding: r.encoding, SignaturePrefix: r.prefix}
			_, err := mustTemplate(t, template, templateKey).Verify(signature.TemplateRequest{Header: headers("X-Signature", r.header), Body: []byte(body)}, now())
			if r.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantReason(t, err, r.want)
		})
	}
}

func TestListsOfSignatures(t *testing.T) {
	mac := hex.EncodeToString(macOf(templateKey, "1795330800.x"))
	good, junk := "v1="+mac, "v1="+strings.Repeat("00", 32)
	malformed, tooMany := signature.ReasonMalformedSignature, signature.ReasonTooManySignatures
	list := func(n int, entry, last string) string { return strings.Repeat(entry+",", n) + last }
	prefix := signature.Template{SignatureHeader: "X-Signature", SignaturePrefix: "v1=", SignatureList: ",", ContentTemplate: "{timestamp}.{body}", TimestampHeader: "X-Time"}
	spaced := prefix
	spaced.SignatureList = ", "
	bare := prefix
	bare.SignaturePrefix = ""
	picked := signature.Template{SignatureHeader: "X-Signature", Pick: "v1=([^,]*)", TimestampPick: "t=([^,]*)", ContentTemplate: "{timestamp}.{body}"}
	whole := picked // the time by expression, the signature by prefix
	whole.Pick, whole.SignaturePrefix = "", "v1="
	exact := picked
	exact.Pick = "v1=([0-9a-f]{64})"
	const at = "t=1795330800,"
	rows := []struct {
		name     string
		template signature.Template
		header   string
		want     signature.Reason // empty: accepted
	}{
		{"one", prefix, good, ""},
		{"the right one last of five", prefix, list(4, junk, good), ""},
		{"the right one first of five", prefix, good + strings.Repeat(","+junk, 4), ""},
		{"other versions beside", prefix, "v2=zz," + good + ",v0", ""},
		{"comma and space", spaced, junk + ", " + good, ""},
		{"bare", bare, junk[3:] + "," + mac, ""},
		{"picked", picked, at + good, ""},
		{"picked, the time last", picked, good + ",t=1795330800", ""},
		{"picked, five", picked, at + list(4, junk, good), ""},
		{"picked, other versions", picked, at + "v0=zz,v1a," + good, ""},
		{"by prefix beside a picked time", whole, at + good, ""},

		{"six", prefix, list(5, junk, good), tooMany},
		{"six, the right one first", prefix, good + strings.Repeat(","+junk, 5), tooMany},
		{"seventeen of other versions", prefix, list(16, "v2=a", good), tooMany},
		{"picked, six", picked, at + list(5, junk, good), tooMany},
		{"other versions only", prefix, "v2=" + mac, malformed},
		{"a garbled one beside the right one", prefix, good + ",v1=" + mac[:62], malformed},
		{"an empty one beside the right one", prefix, good + ",v1=", malformed},
		{"an empty entry", prefix, good + ",," + good, malformed},
		{"a comma behind", prefix, good + ",", malformed},
		{"a comma before", prefix, "," + good, malformed},
		{"a space behind the comma", prefix, junk + ", " + good, malformed},
		{"no space behind the comma", spaced, junk + "," + good, malformed},
		{"two spaces behind the comma", spaced, junk + ",  " + good, malformed},
		{"semicolons", prefix, good + ";" + good, malformed},
		{"bare, with another version", bare, mac + ",v2=" + mac, malformed},
		{"too long", prefix, good + ",v2=" + strings.Repeat("a", 1024), malformed},
		{"10,000 entries", prefix, list(10_000, junk, good), malformed},
		{"a control character in an entry that is left out", prefix, good + ",v2=\x1b", malformed},
		{"picked, in something longer", picked, at + "x" + good, malformed},
		{"picked, with something behind", picked, at + good + "x", malformed},
		{"picked exactly", exact, at + good, ""},
		{"picked exactly, with something behind", exact, at + good + "x", malformed},
		{"picked exactly, with something before", exact, at + "x" + good, malformed},
		{"picked, empty", picked, at + "v1=", malformed},
		{"picked, no time", picked, good, signature.ReasonMalformedTimestamp},
		{"picked, an empty time", picked, "t=," + good, signature.ReasonMalformedTimestamp},
		{"picked, the time in something longer", picked, "xt=1795330800," + good, signature.ReasonMalformedTimestamp},
		{"picked, two times", picked, at + at + good, signature.ReasonMalformedTimestamp},
		{"picked, two times that differ", picked, at + "t=1795330801," + good, signature.ReasonMalformedTimestamp},
		{"picked, another time", picked, "t=1795330801," + good, signature.ReasonNoMatch},
		{"a picked time alone", whole, at[:12], malformed},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := mustTemplate(t, r.template, templateKey).Verify(signature.TemplateRequest{
				Header: headers("X-Signature", r.header, "X-Time", "1795330800"), Body: []byte("x")}, now())
			if r.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantReason(t, err, r.want)
		})
	}
}
