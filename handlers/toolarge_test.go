package handlers_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers"
)

const (
	huge      = 300 << 20
	tolerance = 64 << 10 // what may be read beyond the cap
)

// endless is a body of a given size that counts what is read of it.
type endless struct{ left, read int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), e.left)
	for i := range b[:n] {
		b[i] = ' '
	}
	e.left, e.read = e.left-n, e.read+n
	return int(n), nil
}

func TestDeclaredSizeBeyondTheCapIsRefusedUnread(t *testing.T) {
	for _, target := range []string{"/v1/hooks/soar", "/v1/hooks/stranger", "/v1/tasks", "/nowhere", "/v1/tasks/known/cancel"} {
		f := newFixture(t)
		body := &endless{left: huge}
		r := httptest.NewRequest("POST", target, body)
		r.ContentLength = huge
		a := f.do(r)
		a.want(t, 413, "body_too_large")
		if body.read != 0 || a.Header.Get("Connection") != "close" || len(f.tasks.submissions()) != 0 {
			t.Errorf("%s: %d bytes read, Connection %q", target, body.read, a.Header.Get("Connection"))
		}
	}
}

func TestUndeclaredSizeBeyondTheCapIsRefusedAtTheCap(t *testing.T) {
	f := newFixture(t)
	body := &endless{left: huge}
	r := httptest.NewRequest("POST", "/v1/hooks/soar", body)
	r.ContentLength = -1
	a := f.do(r)
	a.want(t, 413, "body_too_large")
	if body.read <= handlers.MaxBody || body.read > handlers.MaxBody+tolerance || a.Header.Get("Connection") != "close" {
		t.Errorf("%d bytes read", body.read)
	}
}

func TestBodyOfExactlyTheCapIsTakenWhole(t *testing.T) {
	for _, extra := range []int{0, 1} {
		f := newFixture(t)
		body := native(good)
		body += strings.Repeat(" ", handlers.MaxBody-len(body)+extra)
		a := f.deliver("msg_1", body, func(r *http.Request) { r.ContentLength = -1 })
		if want := []int{202, 413}[extra]; a.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d: %s", len(body), a.StatusCode, want, a.body)
		}
	}
}

// The same at the socket: neither the handler nor the server that cleans up after it reads on, and the client still gets
// its answer.
func TestThreeHundredMegabytesAreNotTakenOffTheSocket(t *testing.T) {
	for _, chunked := range []bool{false, true, true, true, true} { // a reset shows only most of the time
		t.Run(fmt.Sprintf("chunked=%v", chunked), func(t *testing.T) {
			f := newFixture(t)
			l := f.listen(t)
			c, answers := dial(t, l)
			head := "POST /v1/hooks/soar HTTP/1.1\r\nHost: resetd\r\nContent-Type: application/json\r\n"
			sent := make(chan int64, 1)
			go func() {
				n, err := send(c, head, chunked)
				if err == nil {
					err = errors.New("all 300 MB were taken")
				}
				t.Log(err)
				sent <- n
			}()
			a := readAnswer(t, answers)
			a.want(t, 413, "body_too_large")
			if !a.Close {
				t.Error("the connection is kept")
			}
			// A reset here could have destroyed the answer before the client saw it.
			if _, err := answers.ReadByte(); err != io.EOF {
				t.Errorf("the answer ends with %v", err)
			}
			if n := <-sent; n >= huge {
				t.Errorf("%d bytes were taken", n)
			}
			read := l.read.Load()
			if read > handlers.MaxBody+tolerance || chunked && read <= handlers.MaxBody || !chunked && read > tolerance {
				t.Errorf("%d bytes were read", read)
			}
			if n := len(f.tasks.submissions()); n != 0 {
				t.Errorf("%d submissions", n)
			}
		})
	}
}

// send writes 300 MB until it is stopped, and gives how much went out.
func send(w io.Writer, head string, chunked bool) (sent int64, err error) {
	piece := bytes.Repeat([]byte(" "), 64<<10)
	if chunked {
		head += "Transfer-Encoding: chunked\r\n\r\n"
	} else {
		head += fmt.Sprintf("Content-Length: %d\r\n\r\n", huge)
	}
	if _, err = io.WriteString(w, head); err != nil {
		return 0, err
	}
	for sent < huge && err == nil {
		if chunked {
			if _, err = fmt.Fprintf(w, "%x\r\n%s\r\n", len(piece), piece); err != nil {
				break
			}
		} else if _, err = w.Write(piece); err != nil {
			break
		}
		sent += int64(len(piece))
	}
	return sent, err
}
