package connectors

import (
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/resetd/resetd/schemas"
)

func TestEveryRecipientAndNobodyElseOpensASealedPassword(t *testing.T) {
	var to []string
	var keys []*age.X25519Identity
	for range 3 {
		k, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		keys, to = append(keys, k), append(to, k.Recipient().String())
	}
	s, err := NewSealer(to[:2])
	if err != nil {
		t.Fatal(err)
	}
	password := NewPassword(0, 0)
	text, err := Env{Seal: s.Seal}.Sealed(password)
	if err != (*schemas.Failure)(nil) {
		t.Fatal(err)
	}
	if strings.Contains(text, password.Reveal()) || !strings.HasPrefix(text, armor.Header) {
		t.Fatalf("not sealed: %s", text)
	}
	for i, k := range keys {
		r, err := age.Decrypt(armor.NewReader(strings.NewReader(text)), k)
		if i == 2 {
			if err == nil {
				t.Error("a stranger opened it")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != password.Reveal() {
			t.Errorf("recipient %d reads something else (%v)", i, err)
		}
	}
}

func TestRecipientsThatCannotBeUsedAreToldByTheirPlace(t *testing.T) {
	k, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewSealer([]string{k.Recipient().String(), k.String(), "age1nonsense", "helpdesk"})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Fatalf("%v, want three mistakes", err)
	}
	for i, one := range joined.Unwrap() {
		e, ok := errors.AsType[*RecipientError](one)
		if !ok || e.Index != i+1 || strings.Contains(e.Error(), k.String()) {
			t.Errorf("mistake %d: %v", i, one)
		}
	}
}

func TestNothingIsSealedWhileDeliveryIsOff(t *testing.T) {
	if text, f := (Env{}).Sealed(NewPassword(0, 0)); text != "" || f != nil {
		t.Errorf("%q, %v", text, f)
	}
	_, f := Env{Seal: func(schemas.Secret) (string, error) { return "", errors.New("no entropy") }}.Sealed(NewPassword(0, 0))
	if f == nil || f.Code != schemas.CodeUnexpected {
		t.Errorf("%v, want unexpected", f)
	}
}
