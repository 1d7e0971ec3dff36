package testserver

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// echoFlow answers GET /echo with what WORD is in the environment.
const echoFlow = `[
	{"id": "t", "type": "tab", "label": "echo"},
	{"id": "a", "type": "http in", "z": "t", "url": "/echo", "method": "get", "wires": [["b"]]},
	{"id": "b", "type": "function", "z": "t", "func": "msg.payload = env.get('WORD'); return msg;", "outputs": 1, "wires": [["c"]]},
	{"id": "c", "type": "http response", "z": "t", "wires": []}
]`

func noderedFlow(t *testing.T, text string) NodeREDFlow {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flow.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return NodeREDFlow{File: file, Env: map[string]string{"WORD": "as told"}}
}

func TestNodeREDRunsItsFlowAndOffersNothingElse(t *testing.T) {
	s := NodeRED(t, noderedFlow(t, echoFlow))
	for path, want := range map[string]string{"/echo": "200 as told", "/": "404", "/settings": "404", "/flows": "404", "/red/main.js": "404"} {
		answer, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if got := answer.Status[:3] + " " + string(body); !strings.HasPrefix(got, want) {
			t.Errorf("GET %s gives %q, want %q", path, got, want)
		}
	}
	url := s.URL
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := s.answers(t.Context()); err != nil || s.URL != url {
		t.Errorf("after a restart at %s, before at %s: %v", s.URL, url, err)
	}
}

func TestNodeREDThatCanNotStartItsFlowTellsWhy(t *testing.T) {
	if _, _, err := findNodeRED(); err != nil {
		giveUp(t, err)
	}
	for name, c := range map[string]struct{ flow, why string }{
		"a node that nobody brings": {strings.Replace(echoFlow, `"http response"`, `"postbox"`, 1), "postbox"},
		"no JSON":                   {echoFlow[:40], "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			s, err := StartNodeRED(ctx, "", noderedFlow(t, c.flow))
			if err == nil {
				_ = s.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.why) || ctx.Err() != nil {
				t.Errorf("the error does not tell of %s: %v", c.why, err)
			}
		})
	}
}

func TestNodeREDDiesWithAKilledTestProcess(t *testing.T) {
	if _, _, err := findNodeRED(); err != nil {
		giveUp(t, err)
	}
	pid, dir := killHolder(t, "nodered")
	for deadline := time.Now().Add(30 * time.Second); !gone(pid) || exists(dir); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after the kill: process gone %v, folder there %v", gone(pid), exists(dir))
		}
	}
}

// The version stands in four places, and the lock file must name no registry: npm uses the one that it is told.
func TestNodeREDIsPinnedEverywhereTheSame(t *testing.T) {
	script, err := os.ReadFile("../test-servers.sh")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(script), "\nnodered_version="+noderedVersion+"\n") {
		t.Errorf("deploy/test-servers.sh installs another version than %s", noderedVersion)
	}
	var wanted struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct {
			Version, Resolved, Integrity string
			InBundle                     bool // it comes inside of another one
		}
	}
	for file, into := range map[string]any{"nodered/package.json": &wanted, "nodered/package-lock.json": &lock} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if wanted.Dependencies["node-red"] != noderedVersion || lock.Packages["node_modules/node-red"].Version != noderedVersion {
		t.Errorf("package.json wants %v, and the lock file has %s, not %s", wanted.Dependencies, lock.Packages["node_modules/node-red"].Version, noderedVersion)
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" || name != "" && p.Integrity == "" && !p.InBundle {
			t.Errorf("%s: resolved %q, integrity %q; write the lock file with npm install --package-lock-only --omit-lockfile-registry-resolved", name, p.Resolved, p.Integrity)
		}
	}
	if len(lock.Packages) < 100 {
		t.Errorf("the lock file has %d packages only; the test read the wrong thing", len(lock.Packages))
	}
}
