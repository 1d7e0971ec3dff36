package source_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

func TestEveryPresetVerifiesItsVectorAndMapsItsSample(t *testing.T) {
	if len(source.Presets()) == 0 {
		t.Fatal("there are no presets")
	}
	for _, name := range source.Presets() {
		t.Run(name, func(t *testing.T) {
			v, body, _ := readFiles(t, name)
			s := open(t, source.Config{Preset: name, Profile: profile(t, v.Source, v.Keys...)})
			proof, err := s.Verify(t.Context(), v.delivery(t, body), v.Now)
			if err != nil || proof.ID != v.ID {
				t.Fatalf("id %q, want %q: %v", proof.ID, v.ID, err)
			}
			m, p := s.Map(t.Context(), v.delivery(t, body).Header, proof, v.Now)
			v.Expect.hold(t, m, p)
			refuses(t, s, v, body)
		})
	}
}

// refuses holds a source to what every scheme must refuse.
func refuses(t *testing.T, s *source.Source, v vector, body []byte) {
	t.Helper()
	refused := func(what string, d *verify.Delivery, now time.Time) {
		t.Helper()
		if _, err := s.Verify(t.Context(), d, now); err == nil {
			t.Errorf("%s verifies", what)
		}
	}
	if !strings.Contains(s.Weak, "proves the sender and not the body") {
		for _, at := range []int{0, len(body) / 2, len(body) - 1} {
			spoilt := slices.Clone(body)
			spoilt[at] ^= 1
			refused(fmt.Sprintf("a body with byte %d changed", at), v.delivery(t, spoilt), v.Now)
		}
		var again bytes.Buffer
		if json.Indent(&again, body, "", "   ") == nil && !bytes.Equal(again.Bytes(), body) {
			refused("a body that was written anew", v.delivery(t, again.Bytes()), v.Now)
		}
	}
	if s.Weak == "" && !s.Transmits() {
		refused("a delivery that is an hour old", v.delivery(t, body), v.Now.Add(time.Hour))
		refused("a delivery of the future", v.delivery(t, body), v.Now.Add(-time.Hour))
	}
	bare := v.delivery(t, body)
	bare.Header, bare.Token = http.Header{}, ""
	if !s.Transmits() {
		refused("a delivery without a proof", bare, v.Now)
	}
	if v.Token != "" {
		wrong := v.delivery(t, body)
		wrong.Token += "x"
		refused("another token in the URL", wrong, v.Now)
	}
}

func TestEveryPresetMapsItsFurtherBodies(t *testing.T) {
	for _, name := range source.Presets() {
		v, _, cases := readFiles(t, name)
		for _, c := range cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				words := maps.Clone(v.Source)
				if c.Source != nil {
					words = c.Source
				}
				s, err := source.Preview(source.Config{Name: "sender", Preset: name, Profile: profile(t, words)}, schemas.NewValidator())
				if err != nil {
					t.Fatal(err)
				}
				body := []byte(c.Body)
				if c.Raw != "" {
					body = []byte(c.Raw)
				}
				now := c.Now
				if now.IsZero() {
					now = v.Now
				}
				h := http.Header{}
				for name, value := range c.Headers {
					h.Set(name, value)
				}
				m, p := s.Map(t.Context(), h, verify.Proof{Payload: body}, now)
				c.Expect.hold(t, m, p)
			})
		}
	}
}

// A field that is missing, null, or wrapped otherwise than the sample has it must never lead to somebody else's account.
func TestNoPresetFindsAnotherAccountWhereAFieldIsMissing(t *testing.T) {
	for _, name := range source.Presets() {
		t.Run(name, func(t *testing.T) {
			v, body, _ := readFiles(t, name)
			s, err := source.Preview(source.Config{Name: "sender", Preset: name, Profile: profile(t, v.Source)}, schemas.NewValidator())
			if err != nil {
				t.Fatal(err)
			}
			var whole any
			if json.Unmarshal(body, &whole) != nil {
				t.Skip("the sample is no plain JSON; the mapping behind it is tried by its further bodies")
			}
			right := slices.Clone(v.Also)
			for _, r := range v.Expect.Requests {
				right = append(right, r.Account)
			}
			for what, changed := range mutations(whole) {
				text, err := json.Marshal(changed)
				if err != nil {
					t.Fatal(err)
				}
				m, p := s.Map(t.Context(), v.delivery(t, text).Header, verify.Proof{Payload: text}, v.Now)
				if p != nil && (p.Status < 400 || p.Status >= 500 || len(p.Errors) == 0 && p.Detail == "") {
					t.Errorf("%s: %+v", what, p)
				}
				for _, r := range m.Requests {
					if !slices.Contains(right, r.Account.Value) {
						t.Errorf("%s: the account became %s (%s)", what, r.Account.Value, r.Account.Type)
					}
				}
			}
		})
	}
}

// mutations gives copies of a JSON value with one place removed, set to null, emptied, or wrapped into a list.
func mutations(v any) map[string]any {
	out := map[string]any{}
	var walk func(at string, v any, put func(any) any)
	walk = func(at string, v any, put func(any) any) {
		out[at+" null"], out[at+" wrapped"], out[at+" emptied"] = put(nil), put([]any{v}), put("")
		switch v := v.(type) {
		case map[string]any:
			for k, sub := range v {
				without := maps.Clone(v)
				delete(without, k)
				out[at+"/"+k+" removed"] = put(without)
				walk(at+"/"+k, sub, func(x any) any {
					c := maps.Clone(v)
					c[k] = x
					return put(c)
				})
			}
		case []any:
			out[at+" no entries"] = put([]any{})
			for i, sub := range v {
				walk(fmt.Sprintf("%s/%d", at, i), sub, func(x any) any {
					c := slices.Clone(v)
					c[i] = x
					return put(c)
				})
			}
		}
	}
	walk("", v, func(x any) any { return x })
	return out
}

// A preset whose page lacks something leaves its user alone with the sender.
func TestEveryPresetHasAPage(t *testing.T) {
	for _, name := range source.Presets() {
		p, err := source.LoadPreset(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Title == "" || p.Page.Evidence != "documented" && p.Page.Evidence != "general" || len(p.Page.Setup) == 0 || p.Page.Signed == "" ||
			p.Page.Wants == "" || p.Page.Retries == "" || p.Page.Account == "" || !strings.Contains(p.Page.Example, "preset: "+name) {
			t.Errorf("preset %s: the page is not complete: %+v", name, p.Page)
		}
	}
}
