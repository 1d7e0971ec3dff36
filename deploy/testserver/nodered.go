package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// noderedVersion is the version that deploy/test-servers.sh installs; a test compares the two.
const noderedVersion = "4.1.15"

// needNode is what Node-RED runs on; npm brings Node-RED itself.
var needNode = need{"nodered", "nodejs npm", []string{"node"}}

// NodeREDFlow is what a Node-RED runs.
type NodeREDFlow struct {
	File string            // an exported flow; it is copied, and runs as it is
	Env  map[string]string // what the flow finds in the environment, its secrets among them
}

// NodeREDServer is a running Node-RED with one flow. It has no editor and no admin interface, installs nothing, and tells
// nobody that it runs.
type NodeREDServer struct {
	*daemon
	URL string // http://127.0.0.1:port: the root of the flow's own endpoints

	ready string // where it says that the flow has started; no other server on the port knows it
}

// NodeRED starts a Node-RED that ends with the test. The flow has started when it returns.
func NodeRED(t testing.TB, flow NodeREDFlow) *NodeREDServer {
	t.Helper()
	return begin(t, func(ctx context.Context) (*NodeREDServer, error) { return StartNodeRED(ctx, "", flow) })
}

// StartNodeRED starts a Node-RED in the folder nodered inside dir, or in a temporary folder when dir is "". The context
// bounds the start, not the server's life: that ends with Close, or with the calling process. It returns a *MissingError
// when Node or Node-RED is not there, and an error with the last words of its log when the flow can not start: when it
// needs nodes that Node-RED does not bring, for example.
//
// Like moto it runs as the caller even if that is root, because its packages lie in the caller's home.
func StartNodeRED(ctx context.Context, dir string, flow NodeREDFlow) (*NodeREDServer, error) {
	node, program, err := findNodeRED()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(flow.File)
	if err != nil {
		return nil, fmt.Errorf("reading the flow: %w", err)
	}
	if !json.Valid(text) {
		return nil, fmt.Errorf("the flow %s is not JSON: export it from Node-RED again", flow.File) // Node-RED would start without it
	}
	space, err := newWorkspace(dir, "nodered", nil)
	if err != nil {
		return nil, err
	}
	server := &NodeREDServer{ready: "/ready-" + newPassword()}
	if err := errors.Join(space.mkdir("nodes"), space.write("flows.json", text), space.write("settings.js", []byte(noderedSettings)),
		space.write("nodes/ready.js", fmt.Appendf(nil, noderedReady, server.ready)), space.write("nodes/ready.html", nil)); err != nil {
		space.discard()
		return nil, err
	}
	var port int
	server.daemon = &daemon{
		name: "nodered", space: space, end: signalTerm, ready: server.answers,
		argv: func() []string {
			return []string{node, program, "--userDir", space.path, "--settings", space.file("settings.js"),
				"--port", strconv.Itoa(port), "--no-telemetry", space.file("flows.json")}
		},
		move: func() (err error) {
			if port, err = freePort(); err != nil {
				return err
			}
			server.URL = "http://" + address(port)
			return nil
		},
	}
	for name, value := range flow.Env {
		server.env = append(server.env, name+"="+value)
	}
	if err := server.move(); err != nil {
		space.discard()
		return nil, err
	}
	if err := server.boot(ctx, "TERM"); err != nil {
		return nil, err
	}
	return server, nil
}

// noderedSettings keeps Node-RED on loopback, to its flow, and from the net. In what concerns flows nothing differs from
// Node-RED's defaults.
const noderedSettings = `module.exports = {
	uiHost: "127.0.0.1",
	httpAdminRoot: false,
	telemetry: { enabled: false, updateNotification: false },
	diagnostics: { enabled: false, ui: false },
	externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpdate: false, allowUpload: false }, modules: { allowInstall: false } },
	lang: "en-US",
	logging: { console: { level: "info", metrics: false, audit: false } },
};
`

// noderedReady is a file that Node-RED loads as it loads nodes, though it brings none: a route that answers 204 once the
// flow has started, beside the flow's own. %q is its path. A flow that can not start ends the process, whose log then
// says why; Node-RED itself would wait for somebody to install what is missing.
const noderedReady = `module.exports = RED => {
	let started = false;
	RED.events.on("flows:started", () => { started = true; });
	RED.events.on("runtime-event", e => { if (e.payload && e.payload.error) process.exit(1); });
	RED.httpNode.get(%q, (request, response) => response.sendStatus(started ? 204 : 503));
};
`

// findNodeRED gives the programs of Node and Node-RED, or a *MissingError.
func findNodeRED() (node, program string, err error) {
	if node, err = needNode.find(); err != nil {
		return "", "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	// The script moves the whole folder there when it is complete.
	program = filepath.Join(cache, "resetd", "node-red-"+noderedVersion, "node_modules", "node-red", "red.js")
	if _, err := os.Stat(program); err != nil {
		return "", "", &MissingError{Server: needNode.server, Program: "Node-RED " + noderedVersion, Package: needNode.pkg}
	}
	return node, program, nil
}

// answers succeeds when the flow has started.
func (s *NodeREDServer) answers(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+s.ready, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("nodered at %s: HTTP %d", s.URL, answer.StatusCode)
	}
	return nil
}
