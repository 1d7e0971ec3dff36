package callback

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPostDoesNotFollowRedirects(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	for _, status := range []int{301, 302, 303, 304, 307, 308} {
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL+"/stolen")
			w.WriteHeader(status)
		})
		a, _ := post(t, mustNew(t, lab(r.ca, r.URL, elsewhere.URL)), r.URL)
		wantClass(t, a, ClassRedirect)
		if a.HTTPStatus != status || strings.Contains(a.Detail, "stolen") {
			t.Errorf("attempt %+v", a)
		}
	}
	if elsewhere.connections() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestPostTakesNothingButSuccessAsDelivered(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204, 299, 400, 401, 403, 404, 405, 410, 413, 418, 429, 499, 500, 502, 503, 504, 599} {
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != 204 {
				_, _ = w.Write([]byte("body-of-the-answer"))
			}
		})
		a, _ := post(t, mustNew(t, lab(r.ca, r.URL)), r.URL)
		if a.HTTPStatus != status {
			t.Errorf("status %d is told as %d", status, a.HTTPStatus)
		}
		if status < 300 {
			wantDelivered(t, a)
			continue
		}
		wantClass(t, a, ClassStatus)
		if strings.Contains(a.Detail, "body-of-the-answer") {
			t.Error("the answer is quoted")
		}
	}
}

func TestPostReadsLittleOfAHugeAnswer(t *testing.T) {
	const most = 256 << 20
	var sent atomic.Int64
	done := make(chan struct{})
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		chunk := make([]byte, 64<<10)
		for sent.Load() < most {
			n, err := w.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	a, _ := post(t, mustNew(t, lab(r.ca, r.URL)), r.URL)
	wantDelivered(t, a)
	<-done
	if n := sent.Load(); n >= most/4 { // what both kernels and TLS buffer, and no more
		t.Errorf("the receiver got rid of %d bytes", n)
	}
}

func TestPostDoesNotWaitForABodyThatDrips(t *testing.T) {
	gone := make(chan struct{})
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		defer close(gone)
		for patience := time.Now().Add(30 * time.Second); req.Context().Err() == nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(patience) {
				t.Error("nobody hung up")
				return
			}
			_, _ = w.Write([]byte("."))
			_ = http.NewResponseController(w).Flush()
		}
	})
	o := lab(r.ca, r.URL)
	o.Timeout = time.Hour
	a, _ := post(t, mustNew(t, o), r.URL)
	wantDelivered(t, a)
	<-gone
}

func TestPostGivesUpOnAReceiverThatIsSilentOrSlow(t *testing.T) {
	hang := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	drip := "http://" + rawServer(t, func(c *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		for _, b := range []byte("HTTP/1.1 200 OK\r\nX-Filler: " + strings.Repeat("x", 1<<16)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	mute := "https://" + rawServer(t, func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1)); time.Sleep(2 * time.Second) })
	for name, url := range map[string]string{"hangs": hang.URL, "drips its headers": drip, "accepts and never shakes hands": mute} {
		o := lab(hang.ca, url)
		o.Timeout = 300 * time.Millisecond
		a, _ := post(t, mustNew(t, o), url)
		t.Log(name)
		wantClass(t, a, ClassTimeout)
	}
}

func TestPostNamesWhatIsNotHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"another protocol": "SSH-2.0-garbage-of-the-receiver\r\n",
		"broken header":    "HTTP/1.1 200 OK\r\ngarbage-of-the-receiver\r\n\r\n",
		"endless header":   "HTTP/1.1 200 OK\r\nX: garbage-of-the-receiver" + strings.Repeat("x", 2*maxHeaders) + "\r\n\r\n",
		"absurd status":    "HTTP/1.1 garbage-of-the-receiver OK\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			url := "http://" + rawServer(t, func(c *net.TCPConn) {
				_, _ = http.ReadRequest(bufio.NewReader(c))
				_, _ = c.Write([]byte(answer))
			})
			a, _ := post(t, mustNew(t, lab("", url)), url)
			wantClass(t, a, ClassProtocol)
			if strings.Contains(a.Detail, "garbage") {
				t.Error("the answer is quoted")
			}
		})
	}
}

func TestPostNamesABrokenConnection(t *testing.T) {
	cut := func(linger int) string {
		return "http://" + rawServer(t, func(c *net.TCPConn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_ = c.SetLinger(linger) // 0 sends RST, -1 an orderly FIN
		})
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, url := range map[string]string{"reset": cut(0), "closed": cut(-1), "refused": "http://" + closed.Addr().String()} {
		a, _ := post(t, mustNew(t, lab("", url)), url)
		t.Log(name)
		wantClass(t, a, ClassConnect)
	}
}

// late answers 200 once the client has hung up, as a server does whose handler gives up at that moment.
type late struct{}

func (late) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

func TestPostDoesNotCountAnAnswerThatItsHangingUpBroughtAbout(t *testing.T) {
	o := lab("", "https://127.0.0.1/")
	o.Timeout = 10 * time.Millisecond
	p := mustNew(t, o)
	p.secure.Transport = late{}
	a, _ := post(t, p, "https://127.0.0.1/")
	wantClass(t, a, ClassTimeout)
}
