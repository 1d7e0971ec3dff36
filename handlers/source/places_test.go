package source_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// The account comes from the places that a vector names (account_at) and from nowhere else: whatever else a body says,
// under whatever name, is somebody who acts, reports or is responsible, or is nobody at all.
func TestAccountsComeFromTheirPlacesOnly(t *testing.T) {
	const stranger = "stranger@example.net"
	for _, name := range source.Presets() {
		t.Run(name, func(t *testing.T) {
			var places struct {
				At []string `json:"account_at"`
			}
			text, err := os.ReadFile(filepath.Join("presets", name+".vector.json"))
			if err == nil {
				err = json.Unmarshal(text, &places)
			}
			v, body, _ := readFiles(t, name)
			var whole any
			if err != nil || len(places.At) == 0 || json.Unmarshal(body, &whole) != nil {
				t.Skip("the vector names no places in a body of plain JSON")
			}
			s, err := source.Preview(source.Config{Name: "sender", Preset: name, Profile: profile(t, v.Source)}, schemas.NewValidator())
			if err != nil {
				t.Fatal(err)
			}
			var reached []string
			for at, changed := range implants(whole, stranger) {
				text, err := json.Marshal(changed)
				if err != nil {
					t.Fatal(err)
				}
				m, _ := s.Map(t.Context(), v.delivery(t, text).Header, verify.Proof{Payload: text}, v.Now)
				if slices.ContainsFunc(m.Requests, func(r schemas.Request) bool { return r.Account.Value == stranger }) {
					reached = append(reached, at)
				}
			}
			slices.Sort(reached)
			if slices.Sort(places.At); !slices.Equal(reached, places.At) {
				t.Errorf("accounts come from %v, want %v", reached, places.At)
			}
		})
	}
}

// implants gives copies of a JSON value, by the place where the text was put: in place of each scalar, and as a member of
// each object under names that accounts often have.
func implants(v any, text string) map[string]any {
	out := map[string]any{}
	var walk func(at string, v any, put func(any) any)
	walk = func(at string, v any, put func(any) any) {
		switch v := v.(type) {
		case map[string]any:
			with := func(k string, x any) any {
				c := maps.Clone(v)
				c[k] = x
				return put(c)
			}
			for k, sub := range v {
				walk(at+"/"+k, sub, func(x any) any { return with(k, x) })
			}
			for _, k := range []string{"account", "user", "username", "user_name", "email", "userPrincipalName", "login"} {
				if _, taken := v[k]; !taken {
					out[at+"/"+k] = with(k, text)
				}
			}
		case []any:
			for i, sub := range v {
				walk(fmt.Sprintf("%s/%d", at, i), sub, func(x any) any {
					c := slices.Clone(v)
					c[i] = x
					return put(c)
				})
			}
		default:
			out[at] = put(text)
		}
	}
	walk("", v, func(x any) any { return x })
	return out
}
