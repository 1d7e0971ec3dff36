package soar_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What Node-RED would take without a word, and a user would stumble over.
func TestTheFlowHoldsTogetherAndNoSecret(t *testing.T) {
	text, err := os.ReadFile("node-red/force-password-reset.json")
	if err != nil {
		t.Fatal(err)
	}
	var nodes []struct {
		ID, Type, Z, URL, Func, Info string
		SkipBodyParsing              bool
		Wires                        [][]string
		Outputs                      int
		Scope                        []string
		Libs                         []struct{ Var, Module string }
		Credentials                  map[string]any
	}
	if err := json.Unmarshal(text, &nodes); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("node-red/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if key := regexp.MustCompile(`whsec_[A-Za-z0-9+/]{8,}`).Find(text); key != nil {
		t.Error("the flow holds a key")
	}
	var ids []string
	for _, n := range nodes {
		if slices.Contains(ids, n.ID) {
			t.Errorf("two nodes are %s", n.ID)
		}
		ids = append(ids, n.ID)
	}
	own := []string{"tab", "comment", "http in", "http request", "http response", "function", "switch", "catch"}
	for _, n := range nodes {
		if !slices.Contains(own, n.Type) || n.Type != "tab" && !slices.Contains(ids, n.Z) {
			t.Errorf("%s of the type %s, on %q", n.ID, n.Type, n.Z)
		}
		for _, to := range append(slices.Concat(n.Wires...), n.Scope...) {
			if !slices.Contains(ids, to) {
				t.Errorf("%s leads to %s, which is not there", n.ID, to)
			}
		}
		if n.Outputs > 0 && n.Outputs != len(n.Wires) {
			t.Errorf("%s has %d outputs and %d wires", n.ID, n.Outputs, len(n.Wires))
		}
		if strings.Contains(n.Func, "crypto.") != (len(n.Libs) == 1 && n.Libs[0].Var == "crypto" && n.Libs[0].Module == "crypto") {
			t.Errorf("%s: what it uses of crypto and what it loads do not fit: %v", n.ID, n.Libs)
		}
		if n.SkipBodyParsing != (n.URL == "/playbook/callback") {
			t.Errorf("%s at %s: raw is %t", n.ID, n.URL, n.SkipBodyParsing)
		}
		if len(n.Credentials) > 0 {
			t.Errorf("%s holds credentials", n.ID)
		}
		if n.URL != "" && !strings.Contains(string(page), strings.Replace(n.URL, ":run", "{run}", 1)) {
			t.Errorf("the README does not name %s", n.URL)
		}
	}
	for _, variable := range []string{"RESETD_URL", "RESETD_KEY", "RESETD_CALLBACK_KEY", "PLAYBOOK_TOKEN"} {
		if !strings.Contains(string(text), variable) || !strings.Contains(string(page), "`"+variable+"`") {
			t.Errorf("%s is not in the flow or not in the README", variable)
		}
	}
}
