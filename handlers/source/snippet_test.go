package source_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
)

// The code that pages tell to paste, run by the language itself, with little more around it than what the tool gives.
var snippets = map[string]struct {
	begins  string // the first line of the code
	in      string // python3 or node
	replace []string
	before  string
	after   string
}{
	"torq":    {begins: "import base64", in: "python3"},
	"shuffle": {begins: "import base64", in: "python3", replace: []string{"$resetd_key", snippetKey, "$exec.victim", snippetAccount, "$exec.id", "case-1"}},
	"tracecat": {begins: "import base64", in: "python3",
		after: "main(os.environ['ACCOUNT'], os.environ['REFERENCE'])"},
	"stackstorm": {begins: "import base64", in: "python3",
		before: "import sys, types\nfor name in ('st2common', 'st2common.runners', 'st2common.runners.base_action'): sys.modules[name] = types.ModuleType(name)\nsys.modules['st2common.runners.base_action'].Action = object\n",
		after:  "action = Reset()\naction.config = {'url': URL, 'key': os.environ['RESETD_KEY']}\naction.run(os.environ['ACCOUNT'], os.environ['REFERENCE'], '')"},
	"xsoar": {begins: "import base64", in: "python3", before: `
import json, os, sys, types, urllib.request
class Answer:
    def __init__(self, text): self.text = text
    def raise_for_status(self): pass
    def json(self): return json.loads(self.text)
requests = types.ModuleType('requests')
requests.post = lambda url, data, timeout, headers: Answer(urllib.request.urlopen(urllib.request.Request(url, data, headers)).read())
sys.modules['requests'] = requests
demisto = types.SimpleNamespace(command=lambda: 'resetd-reset', args=lambda: {'account': os.environ['ACCOUNT'], 'reference': os.environ['REFERENCE']},
    params=lambda: {'url': URL, 'credentials': {'password': os.environ['RESETD_KEY']}})
CommandResults, return_results = dict, print
`},
	"n8n": {begins: "const crypto", in: "node", before: "const $env = process.env, $json = { victim: process.env.ACCOUNT, id: process.env.REFERENCE };\nconst sign = () => {\n",
		after: "};\nconst made = sign().json;\nfetch(URL_, { method: 'POST', body: made.body, headers: { 'Content-Type': 'application/json', 'webhook-id': made.id, 'webhook-timestamp': made.at, 'webhook-signature': made.signature } });"},
	"servicenow": {begins: "(function executeRule", in: "node", before: `
const { createHmac, randomUUID } = require('crypto');
const headers = {}, current = { number: process.env.REFERENCE, short_description: 'Mailrègle', active: 'true', sys_updated_on: '2026-11-22 06:58:12', sys_updated_by: 'x',
  affected_user: { getRefRecord: () => ({ isValidRecord: () => true, email: '', user_name: process.env.ACCOUNT }) } };
const gs = { generateGUID: () => randomUUID().replaceAll('-', ''), getProperty: () => process.env.RESETD_KEY, error: (text) => { throw text; } };
class GlideDateTime { getNumericValue() { return Date.now(); } }
class GlideCertificateEncryption { generateMac(key, algorithm, text) { return createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64'); } }
const sn_ws = { RESTMessageV2: class {
  setEndpoint(url) { this.url = url; } setHttpMethod(method) { this.method = method; } setRequestHeader(name, value) { headers[name] = value; } setRequestBody(body) { this.body = body; }
  execute() { fetch(this.url, { method: this.method, headers, body: this.body }); return { getStatusCode: () => 202 }; } } };
`},
}

const (
	snippetKey     = "whsec_xBSyB4pOmMcrVWXQTo/p8CLyBSURiRR1KeBq0cUQasI="
	snippetAccount = `EXAMPLE\jdoe`
)

func TestCodeOfPagesSignsAsItsPresetVerifies(t *testing.T) {
	for name, c := range snippets {
		t.Run(name, func(t *testing.T) {
			program := interpreter(t, c.in)
			arrived := make(chan *verify.Delivery, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				arrived <- &verify.Delivery{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body}
				w.WriteHeader(http.StatusAccepted)
				_, _ = io.WriteString(w, `{"tasks":[{"id":"t","status":"queued"}]}`)
			}))
			defer server.Close()
			code := strings.NewReplacer(append(c.replace, "https://resetd.example.com", server.URL)...).Replace(codeOf(t, name, c.begins))
			where, _ := json.Marshal(server.URL + "/v1/hooks/NAME")
			head := "URL = " + string(where) + "\n"
			if c.in == "node" {
				head = "const URL_ = " + string(where) + ";\n"
			}
			run(t, program, head+c.before+code+"\n"+c.after)
			if len(arrived) == 0 {
				t.Fatal("the code has posted nothing")
			}
			d := <-arrived
			s := open(t, source.Config{Preset: name, Profile: profile(t, nil, snippetKey)})
			proof, err := s.Verify(t.Context(), d, time.Now())
			if err != nil {
				t.Fatalf("%v\n%s %s", err, d.Header, d.Body)
			}
			m, p := s.Map(t.Context(), d.Header, proof, time.Now())
			if p != nil || len(m.Requests) != 1 || m.Requests[0].Account.Value != snippetAccount || m.Requests[0].Reference != "case-1" {
				t.Errorf("%+v %+v", m, p)
			}
		})
	}
}

// codeOf gives the code of a page, from the line that begins so to the end of what is indented as far.
func codeOf(t *testing.T, preset, begins string) string {
	t.Helper()
	p, err := source.LoadPreset(preset)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	indent := -1
	for line := range strings.Lines(strings.Join(p.Page.Notes, "\n")) {
		text := strings.TrimLeft(line, " ")
		if indent < 0 && strings.HasPrefix(text, begins) {
			indent = len(line) - len(text)
		}
		switch {
		case indent < 0:
		case strings.TrimSpace(line) == "":
			b.WriteString("\n")
		case len(line)-len(text) < indent:
			return b.String()
		default:
			b.WriteString(line[indent:])
		}
	}
	if indent < 0 {
		t.Fatalf("the page of preset %s has no code that begins with %s", preset, begins)
	}
	return b.String()
}

// interpreter gives the program for a language, or skips.
func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err != nil && os.Getenv("RESETD_TEST_REQUIRE") == "all":
		t.Fatalf("%s is missing in PATH", name)
	case err != nil:
		t.Skipf("%s is missing in PATH", name)
	}
	return path
}

// run runs code with the key and what is asked for in its environment.
func run(t *testing.T, program, code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	flag := "-c"
	if strings.HasSuffix(program, "node") {
		flag = "-e"
	}
	cmd := exec.CommandContext(ctx, program, flag, code)
	cmd.Env = append(os.Environ(), "RESETD_KEY="+snippetKey, "ACCOUNT="+snippetAccount, "REFERENCE=case-1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
