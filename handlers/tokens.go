package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// MinTokenLength is the least number of characters of a token: 24 hexadecimal digits are 96 bits. Tokens are kept as plain
// SHA-256, which is enough for a random text and for nothing else.
const MinTokenLength = 24

const (
	maxTokenLength = 512
	minTokenKinds  = 8 // different characters; 24 random hexadecimal digits have fewer once in 40,000 times
)

// tokenForm is b64token of RFC 6750 §2.1: what a Bearer header can carry.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// Token is one bearer token of the configuration.
type Token struct {
	Name string // schemas.NameForm; the history names who did what by it
	Role Role
	Text schemas.Secret
}

// Tokens knows tokens by their hashes only. It is safe for concurrent use.
type Tokens struct{ known []knownToken }

type knownToken struct {
	sum   [sha256.Size]byte
	actor string // token:<name>
	role  Role
}

// NewTokens takes the tokens of the configuration; none at all closes the API to everybody. The error joins one error
// for each token that is refused, with its name and never with a part of its text.
func NewTokens(tokens []Token) (*Tokens, error) {
	t := &Tokens{}
	var bad []error
	names, sums := map[string]bool{}, map[[sha256.Size]byte]bool{}
	for i, token := range tokens {
		sum := sha256.Sum256([]byte(token.Text.Reveal()))
		err := token.check()
		switch {
		case err != nil:
		case names[token.Name]:
			err = errors.New("this name is taken by another token; give each its own")
		case sums[sum]:
			err = errors.New("another token has the same text; the history could not tell who did what")
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("token %d (%q): %w", i+1, token.Name, err))
			continue
		}
		names[token.Name], sums[sum] = true, true
		t.known = append(t.known, knownToken{sum, "token:" + token.Name, token.Role})
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return t, nil
}

func (t Token) check() error {
	text := t.Text.Reveal()
	kinds := map[rune]bool{}
	for _, r := range text {
		kinds[r] = true
	}
	switch {
	case !schemas.NameForm.MatchString(t.Name):
		return errors.New("a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit")
	case t.Role < Viewer || t.Role > Admin:
		return errors.New("it has no role; give it viewer, operator, approver or admin")
	case len(text) < MinTokenLength || len(text) > maxTokenLength:
		return fmt.Errorf("its text has %d characters, it needs %d to %d; make one with: openssl rand -hex 32", len(text), MinTokenLength, maxTokenLength)
	case !tokenForm.MatchString(text):
		return errors.New("its text has characters that a Bearer header cannot carry; make one with: openssl rand -hex 32")
	case len(kinds) < minTokenKinds:
		return errors.New("its text is not random; make one with: openssl rand -hex 32")
	}
	return nil
}

// bears tells whether a request brings a token at all, known or not.
func bears(h http.Header) bool {
	values := h["Authorization"]
	if len(values) != 1 {
		return false
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Bearer") && text != ""
}

// identify gives the token that a request bears. Every known hash is compared, in constant time, so that the time taken
// does not tell how near a guess came or which token matched.
func (t *Tokens) identify(h http.Header) (knownToken, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return knownToken{}, false
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(text) > maxTokenLength {
		return knownToken{}, false
	}
	sum := sha256.Sum256([]byte(text))
	found := -1
	for i := range t.known {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.known[i].sum[:]), i, found)
	}
	if found < 0 {
		return knownToken{}, false
	}
	return t.known[found], true
}
