package connectors_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// hostileTexts are what whoever may write to a directory can put into a name, and what is to be seen of it.
var hostileTexts = map[string]string{
	"adam \u202egro.elpmaxe@\u202c": `adam \u202Egro.elpmaxe@\u202C`,
	"a\x00b\x1b[2J\x7f":             `a\u0000b\u001B[2J\u007F`,
	"a\r\nb\tc":                     "a  b c",
	"zero\u200bwidth\ufeff":         `zero\u200Bwidth\uFEFF`,
	"not \xff UTF-8 \ufffd":         `not \xFF UTF-8 \uFFFD`,
	"tag \U000E0041":                `tag \U000E0041`,
	"Žofie Müller, 山田 😀":            "Žofie Müller, 山田 😀",
	"":                              "",
}

func TestNamesAndWordsOfASystemAreReadable(t *testing.T) {
	for text, want := range hostileTexts {
		for what, got := range said(t, text) {
			if got != want {
				t.Errorf("%s: %q became %q, want %q", what, text, got, want)
			}
		}
	}
}

func TestNamesAndWordsOfASystemAreShort(t *testing.T) {
	for _, piece := range []string{"a", "ž", "山", "\u202e", "\xff", "\U000E0041"} {
		for what, got := range said(t, strings.Repeat(piece, 100<<10)) {
			most := 2 << 10
			if what == "name" {
				most = 1 << 10
			}
			// The last piece can be left out, and the ellipsis is 3 bytes.
			if len(got) > most || len(got) < most-16 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
				t.Errorf("%s of many %q has %d bytes, ends with %q; want at most %d and an ellipsis", what, piece, len(got), got[max(0, len(got)-16):], most)
			}
		}
	}
	whole := strings.Repeat("a", 1<<10)
	if got := said(t, whole)["name"]; got != whole {
		t.Errorf("a name of exactly 1 KiB became one of %d bytes", len(got))
	}
}

// A cut must not leave a part of a secret, wherever it falls.
func TestSecretsGoBeforeTheCut(t *testing.T) {
	for _, before := range []int{1<<10 - 5, 2<<10 - 5} {
		for what, got := range said(t, strings.Repeat("x", before)+secret) {
			if strings.Contains(got, secret[:3]) {
				t.Errorf("%s shows a part of a secret: …%s", what, got[len(got)-16:])
			}
		}
	}
}

// said gives all that a connector's text can become.
func said(t *testing.T, text string) map[string]string {
	t.Helper()
	receipt := schemas.Receipt{Code: schemas.CodeOK, Detail: text}
	c := &scripted{
		probe: func(context.Context) (schemas.Capabilities, error) {
			return schemas.Capabilities{Product: text, Missing: []string{text}, Warn: []string{text}}, nil
		},
		resolve: func(context.Context) (schemas.Identity, error) { return schemas.Identity{ID: "1", Name: text}, nil },
		receipt: func(context.Context) (schemas.Receipt, error) { return receipt, nil },
		class:   schemas.Class{Why: text}, proof: schemas.Proof{Detail: text},
	}
	r := newRoom(t, c, nil)
	one := schemas.Identity{ID: "1"}
	probe, err1 := r.Probe(t.Context(), "corp")
	id, err2 := r.resolve(t.Context())
	class, err3 := r.Classify(t.Context(), "corp", one)
	reset, err4 := r.Reset(t.Context(), "corp", one, schemas.ModeRandomize)
	revoke, err5 := r.Revoke(t.Context(), "corp", one)
	proof, err6 := r.Verify(t.Context(), "corp", one, schemas.Evidence{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"name": id.Name, "product": probe.Product, "missing": probe.Missing[0], "warning": probe.Warn[0],
		"class": class.Why, "reset": reset.Detail, "revoke": revoke.Detail, "proof": proof.Detail}
	c.receipt = func(context.Context) (schemas.Receipt, error) {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeConflict, "%s", text)
	}
	_, refused := r.Reset(t.Context(), "corp", one, schemas.ModeRandomize)
	for what, err := range map[string]error{"failure": refused, "preflight": r.Preflight(t.Context(), "corp", schemas.ModeRandomize)} {
		f, _ := errors.AsType[*schemas.Failure](err)
		if f == nil {
			t.Fatalf("%s: %v is no Failure", what, err)
		}
		out[what] = f.Detail
	}
	return out
}

// What is compared later can be neither cleaned nor cut, so it is refused.
func TestIdsAndMarksThatCannotBeKeptAreUnexpected(t *testing.T) {
	long := strings.Repeat("a", 512)
	for text, ok := range map[string]bool{long: true, long + "a": false, "\u202ea": false, "a\nb": false, "\xff": false} {
		c := &scripted{
			resolve: func(context.Context) (schemas.Identity, error) { return schemas.Identity{ID: text}, nil },
			class:   schemas.Class{Evidence: schemas.Evidence{Marker: text}}, proof: schemas.Proof{Evidence: schemas.Evidence{Marker: text}},
		}
		want := schemas.CodeUnexpected
		if ok {
			want = schemas.CodeOK
		}
		r := newRoom(t, c, nil)
		got, err := r.resolve(t.Context())
		wantCode(t, "an id", err, want)
		if ok != (got.ID == text) {
			t.Errorf("an id of %d bytes became %q", len(text), got.ID)
		}
		_, err = r.Classify(t.Context(), "corp", schemas.Identity{ID: "1"})
		wantCode(t, "a mark, classified", err, want)
		_, err = r.Verify(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.Evidence{})
		wantCode(t, "a mark, verified", err, want)
	}
}

func TestSecretsMadeInsideAreTakenOutInEveryForm(t *testing.T) {
	got := connectors.Redact("no "+secret+", QmluZC1TZWNyZXQvNDIreA==, Bind-Secret%2F42%2Bx", schemas.NewSecret(secret))
	if want := "no " + schemas.Redacted + ", " + schemas.Redacted + ", " + schemas.Redacted; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
