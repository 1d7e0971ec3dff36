package entra

import (
	"bytes"
	"io"
	"net/http"
)

// maxTokenAnswer bounds an answer of the token server, in bytes.
const maxTokenAnswer = 256 << 10

// wire carries azidentity's requests, bounds what is read, and remembers how the last one ended: azidentity's own errors
// say it in prose.
type wire struct {
	client *http.Client
	err    error // what kept the last request from being answered
	status int
	header http.Header
	body   []byte
}

// Do makes one request.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.status, w.header, w.body = 0, nil, nil
	answer, err := w.client.Do(r)
	if w.err = err; err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxTokenAnswer))
	if w.err = err; err != nil {
		return nil, err
	}
	w.status, w.header, w.body = answer.StatusCode, answer.Header, body
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}
