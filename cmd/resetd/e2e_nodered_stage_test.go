package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
)

// post is one message on its way between the playbook and resetd.
type post struct {
	header http.Header
	body   []byte
	pass   chan struct{} // closed to let it go on
	status chan int      // what the receiver answered, once it did
}

// road stands between two servers: it hands every message to the test, which looks at it and lets it pass.
type road struct {
	URL string

	posts chan *post
	hold  chan struct{} // when set, the sender hears the receiver's answer only once this is closed

	mu sync.Mutex
	to string
}

// newRoad listens on loopback. Where it leads is told later, because each end needs the other's address first.
func newRoad(t *testing.T) *road {
	t.Helper()
	r := &road{posts: make(chan *post, 16)}
	server := httptest.NewServer(http.HandlerFunc(r.carry))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *road) leadTo(to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

func (r *road) carry(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the sender has gone
	}
	p := &post{header: q.Header.Clone(), body: body, pass: make(chan struct{}), status: make(chan int, 1)}
	r.posts <- p
	select {
	case <-p.pass:
	case <-q.Context().Done():
		return
	}
	r.mu.Lock()
	to, err := url.Parse(r.to)
	r.mu.Unlock()
	if err != nil {
		panic(err)
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	forward := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ModifyResponse: func(answer *http.Response) error {
			p.status <- answer.StatusCode
			if r.hold == nil {
				return nil
			}
			select {
			case <-r.hold:
			case <-q.Context().Done(): // the sender has gone
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) }, // as if there were no road
	}
	forward.ServeHTTP(w, q)
}

// next waits for a message.
func (r *road) next(t *testing.T) *post {
	t.Helper()
	select {
	case p := <-r.posts:
		return p
	case <-time.After(30 * time.Second):
		t.Fatal("nobody came along")
		return nil
	}
}

// let lets a message pass and gives the receiver's answer.
func (p *post) let(t *testing.T) int {
	t.Helper()
	close(p.pass)
	select {
	case status := <-p.status:
		return status
	case <-time.After(30 * time.Second):
		t.Fatal("the receiver did not answer")
		return 0
	}
}

// playbook is a Node-RED that runs the flow of deploy/soar as it is, with a resetd at the other end of two roads.
type playbook struct {
	*stage
	node *testserver.NodeREDServer
	out  *road // from the playbook to resetd
	back *road // from resetd to the playbook
}

const playbookToken = "a-token-of-the-playbook"

// playbookRun is what the playbook says of a run.
type playbookRun struct {
	Run, State, Task, Account, Reference, Status, Code, Detail, Told, Error string
	Version                                                                 int
}

// perform starts resetd and Node-RED. Of its environment, what is in other replaces what would be right.
func perform(t *testing.T, other map[string]string) *playbook {
	t.Helper()
	p := &playbook{out: newRoad(t), back: newRoad(t)}
	p.stage = play(t, func(o *harness.SiteOptions) { o.CallbackURL = p.back.URL + "/playbook/callback" })
	p.out.leadTo(p.URL())
	env := map[string]string{"RESETD_URL": p.out.URL + "/v1/hooks/" + p.Source, "RESETD_KEY": p.Key.Reveal(),
		"RESETD_CALLBACK_KEY": p.CallbackKey.Reveal(), "PLAYBOOK_TOKEN": playbookToken}
	for name, value := range other {
		env[name] = value
	}
	p.node = testserver.NodeRED(t, testserver.NodeREDFlow{File: filepath.Join(root(t), "deploy/soar/node-red/force-password-reset.json"), Env: env})
	p.back.leadTo(p.node.URL)
	return p
}

// ask speaks to the playbook.
func (p *playbook) ask(method, path, token string, body any) (status int, run playbookRun, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, run, err
	}
	q, err := http.NewRequestWithContext(p.t.Context(), method, p.node.URL+path, bytes.NewReader(text))
	if err != nil {
		return 0, run, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, run, err
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&run); err != nil {
		return 0, run, fmt.Errorf("%s %s: HTTP %d: %w", method, path, answer.StatusCode, err)
	}
	return answer.StatusCode, run, nil
}

// call is ask for whoever has nothing else to do until the answer.
func (p *playbook) call(method, path, token string, body any) (int, playbookRun) {
	p.t.Helper()
	status, run, err := p.ask(method, path, token, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return status, run
}

// alert is what a SIEM posts to the playbook. The answer comes when resetd has answered, so it is given by a channel.
func (p *playbook) alert(account, reference string) <-chan playbookRun {
	heard := make(chan playbookRun, 1)
	go func() {
		defer close(heard)
		status, run, err := p.ask(http.MethodPost, "/playbook/alerts", playbookToken,
			map[string]string{"account": account, "reference": reference, "description": "Credential phish — “case 4711”"})
		if err != nil || status != http.StatusAccepted && status != http.StatusBadGateway {
			p.t.Errorf("the alert is answered with HTTP %d: %+v, %v", status, run, err)
		}
		heard <- run
	}()
	return heard
}

// show asks the playbook what has become of a run.
func (p *playbook) show(id string) playbookRun {
	p.t.Helper()
	status, run := p.call(http.MethodGet, "/playbook/runs/"+id, playbookToken, nil)
	if status != http.StatusOK {
		p.t.Fatalf("run %s: HTTP %d: %+v", id, status, run)
	}
	return run
}

// reaches waits until a run is in a state: the playbook answers a callback before it goes on.
func (p *playbook) reaches(id, state string) playbookRun {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		run := p.show(id)
		if run.State == state {
			return run
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the run does not reach %s: %+v", state, run)
		}
	}
}

// knock posts a callback to the playbook, at its usual address when path is empty.
func (p *playbook) knock(path string, header http.Header, body []byte) int {
	p.t.Helper()
	if path == "" {
		path = "/playbook/callback"
	}
	q, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.node.URL+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	q.Header = header
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// writes is how often the directory has set a person's password.
func (p *playbook) writes(dn string) int {
	p.t.Helper()
	writes, err := p.slapd.PasswordWrites()
	if err != nil {
		p.t.Fatal(err)
	}
	return writes[strings.ToLower(dn)]
}
