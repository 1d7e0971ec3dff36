package awsapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// maxAnswer bounds what is read of an answer, in bytes: a page of a thousand users with their policies is the longest.
const maxAnswer = 32 << 20

// notes keeps what answers show beside their content.
type notes struct {
	next http.RoundTripper

	mu    sync.Mutex
	tls   *schemas.TLS
	clock time.Time
	at    time.Time // ours when clock was read
}

// RoundTrip passes a request on and reads the answer whole: the SDK closes the request as soon as an answer begins, which
// may end the connection under whoever is still reading from a server that was quick to answer.
func (n *notes) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := n.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	_ = answer.Body.Close()
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, errors.New("the answer is longer than any that AWS gives")
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	clock, _ := http.ParseTime(answer.Header.Get("Date"))
	secure := rest.Protection(answer.TLS)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tls, n.clock, n.at = secure, clock, time.Now()
	return answer, nil
}

// Seen gives how the last connection was protected and what AWS's clock showed, for a probe.
func (s *Session) Seen() (*schemas.TLS, time.Time) {
	s.note.mu.Lock()
	defer s.note.mu.Unlock()
	return s.note.tls, s.note.clock
}

// Now gives the present time by AWS's clock as the last answer showed it, or ours before the first one.
func (s *Session) Now() time.Time {
	s.note.mu.Lock()
	defer s.note.mu.Unlock()
	if s.note.clock.IsZero() {
		return time.Now().UTC()
	}
	return s.note.clock.Add(time.Since(s.note.at)).UTC()
}
