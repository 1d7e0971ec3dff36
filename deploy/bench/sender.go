package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// answerLimit bounds one exchange; a server that takes longer is broken, not slow.
const answerLimit = 30 * time.Second

// sender sends signed webhooks over one connection, one after the other.
type sender struct {
	conn net.Conn
	msg  *message
	in   []byte
	bare time.Time // until when the connection's deadline is far enough away
}

func (t *template) dial(addr string) (*sender, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &sender{conn: conn, msg: t.message(), in: make([]byte, 16<<10)}, nil
}

// post sends the message of a number. It gives the HTTP status, the body (good until the next call), when the first byte
// was about to be written, and how long it took until the answer had arrived whole.
func (s *sender) post(n uint64) (status int, body []byte, began time.Time, took time.Duration, err error) {
	raw := s.msg.number(n, time.Now())
	began = time.Now()
	if began.After(s.bare) { // setting a deadline costs as much as a small system call
		if err := s.conn.SetDeadline(began.Add(2 * answerLimit)); err != nil {
			return 0, nil, began, 0, err
		}
		s.bare = began.Add(answerLimit)
	}
	if _, err = s.conn.Write(raw); err != nil {
		return 0, nil, began, 0, err
	}
	status, body, err = s.read()
	return status, body, began, time.Since(began), err
}

var (
	headEnd = []byte("\r\n\r\n")
	length  = []byte("\r\nContent-Length: ")
)

// read takes one answer, which must declare its length.
func (s *sender) read() (status int, body []byte, err error) {
	have := 0
	for {
		n, err := s.conn.Read(s.in[have:])
		have += n
		if err != nil {
			return 0, nil, fmt.Errorf("the connection broke in the middle of an answer: %w", err)
		}
		got := s.in[:have]
		if head := bytes.Index(got, headEnd); head >= 0 {
			status, need, err := parseHead(got[:head+2])
			if err != nil {
				return 0, nil, err
			}
			if rest := got[head+len(headEnd):]; len(rest) >= need {
				return status, rest[:need], nil
			}
		}
		if have == len(s.in) {
			return 0, nil, errors.New("the answer is longer than any that is expected")
		}
	}
}

// parseHead reads the status and the length out of the head of an answer by net/http.
func parseHead(head []byte) (status, need int, err error) {
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) {
		return 0, 0, fmt.Errorf("this is no answer of HTTP/1.1: %q", head)
	}
	status, err = strconv.Atoi(string(head[9:12]))
	if err != nil {
		return 0, 0, fmt.Errorf("this is no HTTP status: %q", head[:12])
	}
	at := bytes.Index(head, length)
	if at < 0 {
		return 0, 0, fmt.Errorf("the answer does not declare its length: %q", head)
	}
	text := head[at+len(length):]
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		need = need*10 + int(c-'0')
	}
	return status, need, nil
}
