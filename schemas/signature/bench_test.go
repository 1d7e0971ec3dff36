package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// benchBody has 600 bytes, the size of a usual request.
func benchBody() []byte {
	return []byte(`{"data":"` + strings.Repeat("x", 589) + `"}`)
}

// BenchmarkBareHMAC is the least that a receiver can do: a new HMAC for each
// request and one comparison, with nothing read and nothing checked. Read the
// others against it, from the same run.
func BenchmarkBareHMAC(b *testing.B) {
	secret, body := rawKey(b, signature.GenerateSymmetric().Reveal()), benchBody()
	head := []byte("msg_2mVkP0aQ7TnGd1Zr4XcB.1795330800.")
	m := hmac.New(sha256.New, secret)
	m.Write(append(head[:len(head):len(head)], body...))
	want := m.Sum(nil)
	b.ReportAllocs()
	for b.Loop() {
		m := hmac.New(sha256.New, secret)
		m.Write(head)
		m.Write(body)
		if !hmac.Equal(want, m.Sum(nil)) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	private, public := signature.GenerateAsymmetric()
	secret, old := signature.GenerateSymmetric(), signature.GenerateSymmetric()
	body := benchBody()
	for _, c := range []struct {
		name     string
		verifier *signature.Verifier
		h        http.Header
	}{
		{"v1", mustVerifier(b, secret), mustSign(b, "msg_2mVkP0aQ7TnGd1Zr4XcB", now(), body, secret)},
		{"v1 with two keys", mustVerifier(b, secret, old), mustSign(b, "msg_2mVkP0aQ7TnGd1Zr4XcB", now(), body, secret, old)},
		{"v1a", mustVerifier(b, public), mustSign(b, "msg_2mVkP0aQ7TnGd1Zr4XcB", now(), body, private)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.verifier.Verify(c.h, body, now()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+" parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := c.verifier.Verify(c.h, body, now()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkRefuse shows what a stranger's request costs.
func BenchmarkRefuse(b *testing.B) {
	key, body := signature.GenerateSymmetric(), benchBody()
	verifier := mustVerifier(b, key)
	good := mustSign(b, "msg_1", now(), body, key).Get(signature.HeaderSignature)
	for name, h := range map[string]http.Header{
		"10,000 signatures": header("msg_1", "1795330800", strings.Repeat(good+" ", 10_000)+good),
		"wrong key":         mustSign(b, "msg_1", now(), body, signature.GenerateSymmetric()),
		"no headers":        {},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(h, body, now()); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	private, _ := signature.GenerateAsymmetric()
	for name, key := range map[string]signature.Key{"v1": signature.GenerateSymmetric(), "v1a": private} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signature.Sign([]signature.Key{key}, "msg_1", now(), benchBody()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTemplateVerify(b *testing.B) {
	body := benchBody()
	for name, template := range map[string]signature.Template{
		"body":        {SignatureHeader: "X-Hub-Signature-256", SignaturePrefix: "sha256="},
		"time":        {SignatureHeader: "X-Signature", ContentTemplate: "v0:{timestamp}:{body}", TimestampHeader: "X-Time"},
		"time in key": {SignatureHeader: "X-Signature", KeyTemplate: "{timestamp}{secret}", TimestampHeader: "X-Time"},
		"picked":      {SignatureHeader: "X-Signature", Pick: "v1=(.+)", TimestampPick: "t=(.+)", ContentTemplate: "{timestamp}.{body}"},
	} {
		verifier, r := mustTemplate(b, template, templateKey), signature.TemplateRequest{Body: body}
		h, err := signature.SignTemplate(template, templateKey, r, "", now())
		if err != nil {
			b.Fatal(err)
		}
		r.Header = h
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(r, now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
