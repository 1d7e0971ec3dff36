package harness

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// Receiver takes callbacks on loopback and verifies each signature.
type Receiver struct {
	URL string

	server *http.Server
	mu     sync.Mutex
	tasks  map[string]string // task id → status that the callback told
	ids    map[string]int    // webhook-id → times seen
	bad    int
	bodies func([]byte)
	verify *signature.Verifier
}

// NewReceiver listens on a free port. The key is set later, because the site that makes it needs the URL first: see Trust.
// Every raw body is handed to seen, when that is not nil.
func NewReceiver(seen func(body []byte)) (*Receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Receiver{URL: "http://" + listener.Addr().String() + "/callback", tasks: map[string]string{}, ids: map[string]int{}, bodies: seen}
	r.server = &http.Server{Handler: http.HandlerFunc(r.take), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// Trust sets the key by which callbacks are verified.
func (r *Receiver) Trust(key signature.Key) error {
	v, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verify = v
	return nil
}

func (r *Receiver) take(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.verify != nil {
		_, err = r.verify.Verify(q.Header, body, time.Now())
	}
	var message struct {
		Data struct{ ID, Status string }
	}
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	if err != nil || r.verify == nil {
		r.bad++
		http.Error(w, "not verified", http.StatusUnauthorized)
		return
	}
	if r.bodies != nil {
		r.bodies(body)
	}
	r.tasks[message.Data.ID] = message.Data.Status
	r.ids[q.Header.Get(signature.HeaderID)]++
	w.WriteHeader(http.StatusNoContent)
}

// Told gives, by task id, the status that a callback told, and how many deliveries failed verification.
func (r *Receiver) Told() (tasks map[string]string, bad int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]string, len(r.tasks))
	for k, v := range r.tasks {
		out[k] = v
	}
	return out, r.bad
}

// Close stops listening.
func (r *Receiver) Close() { _ = r.server.Close() }
