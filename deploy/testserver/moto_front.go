package testserver

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// MotoFront stands before a moto and makes it more like AWS where they differ:
// the form of refusals, a flag that is set without a password, and the time of a
// user's last change. It also makes faults. Clients are pointed at its URL.
type MotoFront struct {
	URL  string
	moto *MotoServer

	// Before may answer a call in moto's place; nil or a nil answer passes it
	// on. After may change an answer. Both may run at the same time for several
	// calls, and must be set before the first one.
	Before func(MotoCall) *MotoAnswer
	After  func(MotoCall, *MotoAnswer)
	// Delay is waited before each answer.
	Delay time.Duration

	mu        sync.Mutex
	passwords []string
}

// MotoCall is one request of a client.
type MotoCall struct {
	Service string // iam, sts, cognito-idp …
	Action  string // as policies name it, without the service
	Token   string // of temporary credentials
	Fields  map[string]string
}

// MotoAnswer is what the client hears.
type MotoAnswer struct {
	Status int
	Header http.Header
	Body   []byte
	Lost   bool // the connection is closed in place of an answer
}

// Front starts a front. It ends with the test.
func (s *MotoServer) Front(t testing.TB) *MotoFront {
	t.Helper()
	f := &MotoFront{moto: s}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Passwords lists the new passwords that went by.
func (f *MotoFront) Passwords() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.passwords...)
}

// ServeHTTP handles one call.
func (f *MotoFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	call := callOf(r, body)
	f.remember(call)
	if f.Delay > 0 {
		time.Sleep(f.Delay)
	}
	var answer *MotoAnswer
	if f.Before != nil {
		answer = f.Before(call)
	}
	if answer == nil {
		answer = f.pass(r, body, call)
	}
	if f.After != nil {
		f.After(call, answer)
	}
	if answer.Lost {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // a client that went away hears nothing
}

// pass hands a call on as it is: it is signed.
func (f *MotoFront) pass(r *http.Request, body []byte, call MotoCall) *MotoAnswer {
	var before string
	if call.flagAlone() {
		before = f.moto.consolePassword(r.Context(), call.Fields["UserName"])
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, f.moto.URL+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return &MotoAnswer{Lost: true}
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	got, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return &MotoAnswer{Lost: true}
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return &MotoAnswer{Lost: true}
	}
	got.Header.Del("Content-Length")
	got.Header.Del("Connection")
	answer := &MotoAnswer{Status: got.StatusCode, Header: got.Header, Body: text}
	if answer.Status >= 400 {
		answer.refusal(call)
	} else if err := f.moto.finish(r.Context(), call, before); err != nil {
		return &MotoAnswer{Lost: true}
	}
	return answer
}

// scopeForm finds the service in the scope that a request is signed for.
var scopeForm = regexp.MustCompile(`Credential=[^/]+/[0-9]+/[^/]+/([^/]+)/`)

func callOf(r *http.Request, body []byte) MotoCall {
	call := MotoCall{Token: r.Header.Get("X-Amz-Security-Token"), Fields: map[string]string{}}
	if m := scopeForm.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		call.Service = m[1]
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call.Action = target[strings.LastIndexByte(target, '.')+1:]
		var fields map[string]any
		if json.Unmarshal(body, &fields) == nil {
			for name, value := range fields {
				if text, ok := value.(string); ok {
					call.Fields[name] = text
				}
			}
		}
		return call
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		for name := range form {
			call.Fields[name] = form.Get(name)
		}
	}
	call.Action = call.Fields["Action"]
	return call
}

func (f *MotoFront) remember(call MotoCall) {
	if password := call.Fields["Password"]; password != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.passwords = append(f.passwords, password)
	}
}

// refusal gives a refusal of moto's own, which has one form for all services,
// the form that AWS's service has.
func (a *MotoAnswer) refusal(call MotoCall) {
	var told struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	if xml.Unmarshal(a.Body, &told) == nil && told.Code != "" {
		*a = *Refuse(call, a.Status, told.Code, told.Message)
	}
}

// Refuse makes an error answer in the form that the call's service has: XML for
// IAM and STS (AWS query protocol), JSON for Cognito (AWS JSON 1.1), which
// writes some codes with the suffix Exception.
func Refuse(call MotoCall, status int, code, message string) *MotoAnswer {
	a := &MotoAnswer{Status: status, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}}
	if call.Service == "cognito-idp" {
		switch code {
		case "AccessDenied", "ExpiredToken":
			code += "Exception"
		case "InvalidClientTokenId":
			code = "UnrecognizedClientException"
		case "SignatureDoesNotMatch":
			code = "InvalidSignatureException"
		}
		a.Header.Set("Content-Type", "application/x-amz-json-1.1")
		a.Body, _ = json.Marshal(map[string]string{"__type": code, "message": message}) // two strings
		return a
	}
	a.Header.Set("Content-Type", "text/xml")
	var text bytes.Buffer
	_ = xml.EscapeText(&text, []byte(message)) // a buffer takes everything
	a.Body = []byte("<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + text.String() +
		"</Message></Error><RequestId>0</RequestId></ErrorResponse>")
	return a
}
