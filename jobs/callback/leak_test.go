package callback

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// Every ending of an attempt is brought about, and all that is written or returned is searched for what must stay inside:
// keys in each of their spellings, path and query of the URL, the body that was sent and what the receiver answered.
func TestNothingSecretIsToldByAttemptsLogsErrorsAndMetrics(t *testing.T) {
	symmetric := signature.GenerateSymmetric()
	private, _ := signature.GenerateAsymmetric()
	const tail = "/path-secret/x?token=query-secret"
	secrets := []string{"path-secret", "query-secret", "body-secret", "answer-secret", "location-secret", "user-secret"}
	for _, k := range []signature.Key{symmetric, private} {
		_, encoded, _ := strings.Cut(k.Reveal(), "_")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, k.Reveal(), encoded, string(raw), hex.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
			fmt.Sprint(raw), encoded[:20])
	}

	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	answer := func(status int) string {
		return newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://x.example/location-secret")
			w.Header().Set("X-Answer", "answer-secret")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("answer-secret"))
		}).URL
	}
	garbage := "http://" + rawServer(t, func(c *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = c.Write([]byte("answer-secret\r\n\r\n"))
	})
	reset := "http://" + rawServer(t, func(c *net.TCPConn) { _ = c.SetLinger(0) })
	hang := newReceiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	stranger := "https://" + rawServer(t, func(c *net.TCPConn) { _, _ = c.Write([]byte("answer-secret")) })

	places := []string{answer(200), answer(302), answer(401), answer(410), answer(500), garbage, reset, hang.URL, stranger, "https://169.254.169.254", "https://nowhere.example.com"}
	o := lab(hang.ca, places...)
	o.Timeout, o.Logger, o.Registerer = 300*time.Millisecond, zerolog.New(&log), registry
	o.Resolver, _ = nameserver(t, []string{})
	o.Sources[source] = Source{Keys: []signature.Key{symmetric, private}, Allow: places}
	p := mustNew(t, o)

	task, told := told, []string(nil)
	task.Request.Description = "body-secret"
	classes := map[string]bool{}
	try := func(name, url, id string) {
		a, _ := p.Post(t.Context(), schemas.Callback{Source: name, URL: url, ID: id}, task)
		classes[a.Error] = true
		text, err := schemas.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, string(text), fmt.Sprintf("%+v %#v", a, a))
	}
	for _, place := range places {
		try(source, place+tail, messageID)
	}
	try(source, places[0]+tail, "not.an.id")
	try(source, "https://elsewhere.example.com"+tail, messageID)
	try(source, "https://user-secret:user-secret@elsewhere.example.com"+tail, messageID)
	try("removed", places[0]+tail, messageID)
	for _, class := range []string{"", ClassNotAllowed, ClassSign, ClassDNS, ClassRefusedAddress, ClassConnect, ClassTLS, ClassTimeout, ClassProtocol, ClassRedirect, ClassStatus} {
		if !classes[class] {
			t.Errorf("the test brought about no ending of class %q", class)
		}
	}

	_, err := p.Plan(source, &schemas.CallbackRequest{URL: "https://elsewhere.example.com" + tail}, nil)
	_, err2 := p.Plan(source, &schemas.CallbackRequest{URL: "https://user-secret@elsewhere.example.com" + tail}, nil)
	_, err3 := New(Options{Sources: map[string]Source{source: {Keys: []signature.Key{symmetric, private, {}}, Allow: []string{"http://a" + tail, "https://user-secret@a/"}, URL: "ftp://a" + tail}}})
	for _, err := range []error{err, err2, err3} {
		if err == nil {
			t.Fatal("no error to look at")
		}
		told = append(told, err.Error(), fmt.Sprintf("%+v %#v", err, err))
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		told = append(told, e.Error())
	}
	families, err := registry.Gather()
	if err != nil || len(families) == 0 {
		t.Fatalf("no metrics: %v", err)
	}
	for _, f := range families {
		told = append(told, f.String())
	}
	if log.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	told = append(told, log.String(), fmt.Sprintf("%v %+v", o.Sources, o.Sources))
	for _, secret := range secrets {
		for _, text := range told {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %.300q", secret, text)
			}
		}
	}
}
