package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas/signature"
)

// traces are the forms in which a part of a key could show: eight characters of its
// base64, or six of its bytes raw, in hexadecimal or as fmt lists them. The public
// half of a private key does not count.
type traces []string

func tracesOf(k signature.Key) traces {
	_, text, _ := strings.Cut(k.Reveal(), "_")
	if strings.HasPrefix(k.Reveal(), "whsk_") {
		text = text[:40] // 30 of the 32 bytes of the seed
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	var found traces
	for i := 0; i+8 <= len(text); i++ {
		found = append(found, text[i:i+8])
	}
	return append(found, rawTraces(raw)...)
}

func rawTraces(raw []byte) traces {
	var found traces
	for i := 0; i+6 <= len(raw); i++ {
		part := raw[i : i+6]
		found = append(found, string(part), hex.EncodeToString(part), fmt.Sprintf("%X", part), fmt.Sprintf("% x", part),
			strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte"), "{}"))
	}
	return found
}

// in returns the first trace that out holds, or the empty string.
func (ts traces) in(out string) string {
	for _, trace := range ts {
		if strings.Contains(out, trace) {
			return trace
		}
	}
	return ""
}

// TestTheLeakSearchFindsLeaks keeps the tests below honest.
func TestTheLeakSearchFindsLeaks(t *testing.T) {
	k := signature.GenerateSymmetric()
	key, search := k.Reveal(), tracesOf(k)
	raw := rawKey(t, key)
	// The two ways in which a string type with any methods would leak.
	type secret string
	verb := string(rune('d')) // put together, since vet knows that it is wrong
	for _, out := range []string{
		key, "x" + key[10:20], string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), fmt.Sprint(raw), fmt.Sprintf("%#v", raw),
		fmt.Sprintf("%"+verb, secret(key)), fmt.Sprintf("%v", struct{ s secret }{secret(key)}),
	} {
		if search.in(out) == "" {
			t.Fatalf("not found in %q", out)
		}
	}
	if found := search.in("nothing to see here, 0123456789 abcdef"); found != "" {
		t.Fatalf("found %q in a text without it", found)
	}
}

type exported struct{ K signature.Key }
type unexported struct{ k signature.Key }
type embedded struct{ signature.Key }
type deep struct {
	list []signature.Key
	m    map[string]signature.Key
	p    *signature.Key
	any  any
}

func TestKeysShowThemselvesInNoVerbAndNoPlace(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	for _, k := range []signature.Key{signature.GenerateSymmetric(), private, public} {
		search, isPublic := tracesOf(k), !k.CanSign()
		values := []any{
			k, &k, exported{k}, &exported{k}, unexported{k}, &unexported{k}, embedded{k}, &embedded{k}, []signature.Key{k},
			[1]signature.Key{k}, []*signature.Key{&k}, map[string]signature.Key{"a": k}, map[signature.Key]int{k: 1},
			deep{[]signature.Key{k}, map[string]signature.Key{"a": k}, &k, k}, []any{k, unexported{k}}, mustVerifier(t, k),
			[]*signature.Verifier{mustVerifier(t, k)}, func() *signature.Verifier { // one that has pooled states
				v := mustVerifier(t, k)
				_, _ = v.Verify(header("a", "1795330800", "v1,"+strings.Repeat("A", 43)+"="), nil, now())
				return v
			}(),
		}
		for _, v := range values {
			for verb := rune('A'); verb <= 'z'; verb++ {
				for _, flags := range []string{"", "+", "#", " ", "+#", ".3"} {
					out := fmt.Sprintf("%"+flags+string(verb), v)
					// The Verifier holds public keys as they are; they are no secret.
					if found := search.in(out); found != "" && !(isPublic && strings.Contains(fmt.Sprintf("%T", v), "Verifier")) {
						t.Fatalf("%%%s%c of %T shows %q: %s", flags, verb, v, found, out)
					}
				}
			}
			for _, out := range []string{fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("x: %v", v).Error(), fmt.Sprintf("%[2]*[1]d", v, 5)} {
				if found := search.in(out); found != "" && !isPublic {
					t.Fatalf("%T shows %q: %s", v, found, out)
				}
			}
		}
	}
}

func TestKeysShowThemselvesInNoEncoding(t *testing.T) {
	private, _ := signature.GenerateAsymmetric()
	for _, k := range []signature.Key{signature.GenerateSymmetric(), private} {
		search := tracesOf(k)
		values := []any{k, &k, exported{k}, unexported{k}, embedded{k}, []signature.Key{k}, map[string]any{"a": k}, map[signature.Key]int{k: 1}}
		for _, v := range values {
			for name, out := range encodings(v) {
				if found := search.in(out); found != "" {
					t.Fatalf("%s of %T shows %q: %s", name, v, found, out)
				}
			}
		}
	}
}

// encodings are what encoders and loggers make of a value, or their errors.
func encodings(v any) map[string]string {
	outs := map[string]string{}
	encode := func(name string, f func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			b.WriteString(err.Error())
		}
		outs[name] = b.String()
	}
	encode("json", func(b *bytes.Buffer) error { return json.NewEncoder(b).Encode(v) })
	encode("yaml", func(b *bytes.Buffer) error { return yaml.NewEncoder(b).Encode(v) })
	encode("gob", func(b *bytes.Buffer) error { return gob.NewEncoder(b).Encode(v) })
	encode("template", func(b *bytes.Buffer) error {
		return template.Must(template.New("").Parse(`{{.}} {{printf "%d" .}}`)).Execute(b, v)
	})
	encode("slog text", func(b *bytes.Buffer) error { slog.New(slog.NewTextHandler(b, nil)).Info("x", "k", v); return nil })
	encode("slog json", func(b *bytes.Buffer) error { slog.New(slog.NewJSONHandler(b, nil)).Info("x", "k", v); return nil })
	encode("zerolog", func(b *bytes.Buffer) error { l := zerolog.New(b); l.Info().Interface("k", v).Msgf("%v", v); return nil })
	return outs
}

func TestKeysAreReadFromTextAndNotFromTheirRedactedForm(t *testing.T) {
	k := signature.GenerateSymmetric()
	for name, decode := range map[string]func(string, any) error{
		"json": func(s string, v any) error { return json.Unmarshal([]byte(`{"K":"`+s+`"}`), v) },
		"yaml": func(s string, v any) error { return yaml.Unmarshal([]byte("k: \""+s+"\"\n"), v) },
	} {
		var got exported
		if err := decode(k.Reveal(), &got); err != nil || got.K.Reveal() != k.Reveal() {
			t.Fatalf("%s: %v", name, err)
		}
		redacted, err := k.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(string(redacted), &got); err == nil || got.K.Reveal() != k.Reveal() {
			t.Fatalf("%s: the redacted form was read, or a failed read changed the key (%v)", name, err)
		}
	}
}

func TestErrorsOfParseKeyHoldNoPartOfTheText(t *testing.T) {
	for name, text := range badKeys() {
		_, err := signature.ParseKey(text)
		var viaText signature.Key
		viaTextErr := viaText.UnmarshalText([]byte(text))
		quoted, marshalErr := json.Marshal(map[string]string{"K": text})
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		var viaJSON exported
		jsonErr := json.Unmarshal(quoted, &viaJSON)
		if viaTextErr == nil || jsonErr == nil {
			t.Fatalf("%s is accepted as text or in JSON", name)
		}
		secret := strings.NewReplacer("whsec_", "", "whsk_", "", "whpk_", "").Replace(text)
		for _, e := range []error{err, viaTextErr, jsonErr} {
			for _, out := range []string{e.Error(), fmt.Sprintf("%#v", e), fmt.Sprintf("%+v", errors.Unwrap(e))} {
				for i := 0; i+6 <= len(secret); i++ {
					if part := secret[i : i+6]; strings.Contains(out, part) && name != "redacted" {
						t.Fatalf("%s: the error shows %q: %s", name, part, out)
					}
				}
			}
		}
	}
}

func TestErrorsOfVerifyHoldNoSecretNoSignatureAndNoBody(t *testing.T) {
	key := signature.GenerateSymmetric()
	verifier, search := mustVerifier(t, key), tracesOf(key)
	const body = "password=hunter2hunter2"
	right := naiveSignature("v1", rawKey(t, key.Reveal()), "msg_1", "1795330800", []byte(body))
	wrong := naiveSignature("v1", rawKey(t, key.Reveal()), "msg_2", "1795330800", []byte(body))
	refused := 0
	for _, id := range []string{"msg_1", "msg.1", "\x1b[31mmsg", strings.Repeat("idididid", 20), ""} {
		for _, ts := range []string{"1795330800", "1795330000", "1795339999", "17953308000000", "tick"} {
			for _, list := range []string{right, wrong, right[:20], right + "," + wrong, strings.Repeat(wrong+" ", 9), ""} {
				_, err := verifier.Verify(header(id, ts, list), []byte(body), now())
				if err == nil {
					continue
				}
				refused++
				out := fmt.Sprintf("%v %#v", err, err)
				if search.in(out) != "" || strings.Contains(out, "hunter2") || strings.Contains(out, "\x1b") || strings.Contains(out, "idididid") {
					t.Fatalf("the error quotes what came in: %s", out)
				}
				for i := 3; i+6 <= len(right); i++ {
					if strings.Contains(out, right[i:i+6]) || strings.Contains(out, wrong[i:i+6]) {
						t.Fatalf("the error shows a signature: %s", out)
					}
				}
			}
		}
	}
	if refused != 5*5*6-1 {
		t.Fatalf("%d deliveries were refused, all but one should be", refused)
	}
}
