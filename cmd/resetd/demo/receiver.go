package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// Told is a callback whose signature held.
type Told struct {
	ID   string // webhook-id
	Type string
	Task string
	Body []byte
}

// Receiver is the caller's side: it takes callbacks and believes only those whose signature holds.
type Receiver struct {
	URL    string
	told   chan Told
	server *http.Server
}

// maxCallback bounds a callback's body, in bytes.
const maxCallback = 1 << 20

// StartReceiver listens on a free port of 127.0.0.1 and verifies by the key.
func StartReceiver(key signature.Key) (*Receiver, error) {
	verifier, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
	if err != nil {
		return nil, fmt.Errorf("make the demo receiver: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the demo receiver: %w", err)
	}
	r := &Receiver{URL: "http://" + listener.Addr().String() + "/callback", told: make(chan Told, 64)}
	r.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxCallback))
		if err != nil {
			return
		}
		delivery, err := verifier.Verify(q.Header, body, time.Now())
		var message struct {
			Type string
			Data struct{ ID string }
		}
		if err != nil || json.Unmarshal(body, &message) != nil {
			http.Error(w, "not verified", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		select {
		case r.told <- Told{delivery.ID, message.Type, message.Data.ID, body}:
		default: // nobody listens any more; the reader's own tasks need no one to
		}
	})}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// Wait gives the first verified callback for a task, or an error when ctx ends before.
func (r *Receiver) Wait(ctx context.Context, task string) (Told, error) {
	for {
		select {
		case t := <-r.told:
			if t.Task == task {
				return t, nil
			}
		case <-ctx.Done():
			return Told{}, fmt.Errorf("no verified callback arrived for task %s: %w", task, ctx.Err())
		}
	}
}

// Close stops listening.
func (r *Receiver) Close() { _ = r.server.Close() }
