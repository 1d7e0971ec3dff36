package schemas

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
)

const hidden = "hunter2-correct-horse"

// inside is how a secret lies in a configuration: in the open, out of sight, behind pointers, in slices and in maps.
type inside struct {
	Open    Secret            `json:"open" yaml:"open"`
	Pointer *Secret           `json:"pointer" yaml:"pointer"`
	List    []Secret          `json:"list" yaml:"list"`
	Map     map[string]Secret `json:"map" yaml:"map"`
	Any     any               `json:"any" yaml:"any"`
	nested  nested
	secret  Secret
	list    []Secret
	any     any
}

type nested struct{ deep struct{ secret Secret } }

func newInside() inside {
	s := NewSecret(hidden)
	in := inside{Open: s, Pointer: &s, List: []Secret{s}, Map: map[string]Secret{"k": s}, Any: s, secret: s, list: []Secret{s}, any: s}
	in.nested.deep.secret = s
	return in
}

// mustHide fails if a text holds the secret, in letters, in bytes or in hexadecimal digits.
func mustHide(t *testing.T, how, text string) {
	t.Helper()
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprintf("% x", hidden),
		strings.Trim(fmt.Sprint([]byte(hidden)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(hidden)), "[]byte{}")} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

func TestASecretHidesFromEveryVerbAndFlag(t *testing.T) {
	s := NewSecret(hidden)
	in := newInside()
	values := []any{s, &s, []Secret{s}, [1]Secret{s}, map[string]Secret{"k": s}, map[Secret]int{s: 1}, in, &in, []inside{in}, in.nested, struct{ s Secret }{s}, struct{ s *Secret }{&s},
		struct{ any }{s}, []any{s, in}}
	for verb := rune('A'); verb <= 'z'; verb++ {
		if verb > 'Z' && verb < 'a' {
			continue
		}
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "30", ".3", "#30.10"} {
			format := "%" + flags + string(verb)
			for _, v := range values {
				mustHide(t, fmt.Sprintf("%s of %T", format, v), fmt.Sprintf(format, v, v)) // the second is a surplus argument
			}
		}
	}
	for _, v := range values {
		mustHide(t, "Sprint", fmt.Sprint(v))
	}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(verb, s); got != Redacted {
			t.Errorf("%s shows %q", verb, got)
		}
	}
}

func TestASecretHidesFromEncodersAndLoggers(t *testing.T) {
	in := newInside()
	s := in.Open
	texts := map[string]string{"String": s.String()}
	keep := func(how string, text []byte, err error) {
		if err != nil {
			t.Errorf("%s: %v", how, err)
		}
		texts[how] = string(text)
	}
	text, err := json.Marshal(in)
	keep("encoding/json", text, err)
	text, err = json.Marshal(map[Secret]Secret{s: s})
	keep("encoding/json, as a key", text, err)
	text, err = Encode(in)
	keep("Encode", text, err)
	text, err = yaml.Marshal(in)
	keep("YAML", text, err)
	text, err = xml.Marshal(s)
	keep("XML", text, err)
	var b bytes.Buffer
	err = template.Must(template.New("").Parse("{{.}} {{.Open}} {{.List}} {{printf `%d` .Open}}")).Execute(&b, in)
	keep("a template", b.Bytes(), err)
	b.Reset()
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "secret", s, "inside", in)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "secret", s, "inside", in)
	keep("slog", bytes.Clone(b.Bytes()), nil)
	b.Reset()
	log := zerolog.New(&b)
	log.Info().Interface("secret", s).Interface("inside", in).Stringer("stringer", s).Any("any", in.List).Msgf("%v", in)
	keep("zerolog", bytes.Clone(b.Bytes()), nil)
	for how, text := range texts {
		mustHide(t, how, text)
		if !strings.Contains(text, "redacted") {
			t.Errorf("%s shows neither the secret nor that there is one: %s", how, text)
		}
	}
}

func TestASecretHidesInErrors(t *testing.T) {
	s := NewSecret(hidden)
	err := fmt.Errorf("cannot log in with %v, %s and %d: %w", s, s, struct{ s Secret }{s}, errors.New("refused"))
	failure := Fail(CodeBadCredentials, "bind as %q with %v failed", "cn=resetd", s).Because(err)
	for _, e := range []error{err, failure, errors.Join(err, failure), fmt.Errorf("outer: %w", failure)} {
		mustHide(t, "an error", e.Error())
		mustHide(t, "an error's fields", fmt.Sprintf("%+v %#v", e, e))
	}
}

func TestASecretIsReadFromTextAndRevealedOnRequestOnly(t *testing.T) {
	var fromJSON struct{ S Secret }
	if err := json.Unmarshal([]byte(`{"S":"`+hidden+`"}`), &fromJSON); err != nil || fromJSON.S.Reveal() != hidden {
		t.Errorf("JSON gives %q, %v", fromJSON.S.Reveal(), err)
	}
	var fromYAML struct {
		S Secret `yaml:"s"`
	}
	if err := yaml.Unmarshal([]byte("s: "+hidden), &fromYAML); err != nil || fromYAML.S.Reveal() != hidden {
		t.Errorf("YAML gives %q, %v", fromYAML.S.Reveal(), err)
	}
	var fromV2 Secret
	if p := Decode([]byte(`"`+hidden+`"`), &fromV2); p != nil || fromV2.Reveal() != hidden {
		t.Errorf("Decode gives %q, %v", fromV2.Reveal(), p)
	}
	var zero Secret
	if !zero.Empty() || zero.Reveal() != "" || !NewSecret("").Empty() || NewSecret("x").Empty() || fmt.Sprint(zero) != Redacted {
		t.Error("an empty secret is not told from a full one, or shows that it is empty")
	}
}
