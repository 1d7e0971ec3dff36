package signature_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// usedTemplateVerifiers have signed before, so that what they keep for the next delivery is there too.
func usedTemplateVerifiers(t *testing.T) []*signature.TemplateVerifier {
	var vs []*signature.TemplateVerifier
	for _, template := range []signature.Template{
		{SignatureHeader: "X-Signature"},
		{SignatureHeader: "X-Signature", Algorithm: "sha512", KeyTemplate: "{timestamp}{secret}", TimestampHeader: "X-Time"},
	} {
		v := mustTemplate(t, template, templateKey, "another-"+templateKey)
		h, err := signature.SignTemplate(template, templateKey, signature.TemplateRequest{}, "", now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(signature.TemplateRequest{Header: h}, now()); err != nil {
			t.Fatal(err)
		}
		vs = append(vs, v)
	}
	return vs
}

func TestTemplateVerifiersShowNoKey(t *testing.T) {
	search := rawTraces([]byte(templateKey))
	if search.in(fmt.Sprint([]byte("x"+templateKey))) == "" {
		t.Fatal("the search finds nothing")
	}
	type hidden struct {
		v *signature.TemplateVerifier
		w signature.TemplateVerifier
	}
	for _, used := range usedTemplateVerifiers(t) {
		for _, v := range []any{used, *used, []*signature.TemplateVerifier{used}, hidden{used, *used}, &hidden{used, *used}, map[string]any{"a": *used}} {
			for verb := rune('A'); verb <= 'z'; verb++ {
				for _, flags := range []string{"", "+", "#", " ", "+#", ".3"} {
					out := fmt.Sprintf("%"+flags+string(verb), v)
					if found := search.in(out); found != "" {
						t.Fatalf("%%%s%c of %T shows %q: %s", flags, verb, v, found, out)
					}
				}
			}
			for name, out := range encodings(v) {
				if found := search.in(out); found != "" {
					t.Fatalf("%s of %T shows %q: %s", name, v, found, out)
				}
			}
		}
	}
}

func TestErrorsOfTemplatesHoldNoSecretNoSignatureAndNoBody(t *testing.T) {
	search := rawTraces([]byte(templateKey))
	const body = "password=hunter2hunter2"
	template := signature.Template{SignatureHeader: "X-Signature", SignaturePrefix: "v1=", SignatureList: ",", IDHeader: "X-Id",
		ContentTemplate: "{header:X-Tenant}|{path} {id}.{timestamp}.{body}", TimestampHeader: "X-Time"}
	verifier := mustTemplate(t, template, templateKey)
	right := signature.TemplateRequest{Path: "/tokenized/urltoken1234", Header: headers("X-Tenant", "tenanttenant"), Body: []byte(body)}
	made, err := signature.SignTemplate(template, templateKey, right, "msg_1", now())
	if err != nil {
		t.Fatal(err)
	}
	mac := made.Get("X-Signature")
	refused := 0
	for _, path := range []string{right.Path, "urltoken1234", right.Path + "\x1b"} {
		for _, tenant := range []string{"tenanttenant", "tenanttenant|", "tenanttenant\x1b[31m"} {
			for _, time := range []string{"1795330800", "1795330000", "1795339999", "ticktick"} {
				for _, id := range []string{"msg_1", "msg_2", "idididid.", strings.Repeat("idididid", 20)} {
					for _, list := range []string{mac, mac[:30], mac + ",v1=\x1b", strings.Repeat(mac+",", 9) + mac, mac[3:], templateKey} {
						_, err := verifier.Verify(signature.TemplateRequest{Path: path, Body: []byte(body),
							Header: headers("X-Signature", list, "X-Time", time, "X-Id", id, "X-Tenant", tenant)}, now())
						if err == nil {
							continue
						}
						refused++
						out := fmt.Sprintf("%v %#v", err, err)
						for _, part := range []string{"hunter2", "\x1b", "x1b", "ididid", "tenanttenant", "urltoken", "ticktick", mac[3:12], mac[20:29]} {
							if strings.Contains(out, part) {
								t.Fatalf("the error shows %q: %s", part, out)
							}
						}
						if search.in(out) != "" {
							t.Fatalf("the error shows the key: %s", out)
						}
					}
				}
			}
		}
	}
	if want := 3*3*4*4*6 - 1; refused != want {
		t.Fatalf("%d deliveries were refused, %d should be", refused, want)
	}
}
