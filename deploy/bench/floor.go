package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas/signature"
)

// floorArg makes this program the floor server instead: what any receiver of signed webhooks in Go must do, and no more.
const floorArg = "floor-server"

// serveFloor reads the secret as one line of base64, prints its address as one line, and serves until in ends.
func serveFloor(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	line, err := lines.ReadString('\n')
	if err != nil {
		return err
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, listener.Addr())
	server := &http.Server{Handler: floor(secret), ReadHeaderTimeout: handlers.ReadHeaderTimeout}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until whoever started it ends, however that happens
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// floor answers 202 to a body within the cap whose signature holds. It keeps nothing.
func floor(secret []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, handlers.MaxBody))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		id, at := r.Header.Get(signature.HeaderID), r.Header.Get(signature.HeaderTimestamp)
		seconds, errTime := strconv.ParseInt(at, 10, 64)
		text, _ := strings.CutPrefix(r.Header.Get(signature.HeaderSignature), "v1,")
		got, errSign := base64.StdEncoding.DecodeString(text)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		if errTime != nil || errSign != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute || !hmac.Equal(mac.Sum(nil), got) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"tasks":[{"id":"` + id + `","status":"queued","status_url":"http://127.0.0.1:8080/v1/tasks/` + id + `"}]}`))
	}
}

// floorProcess is a running floor server.
type floorProcess struct {
	addr string
	key  signature.Key
	cmd  *exec.Cmd
	in   io.Closer
}

func startFloor(ctx context.Context) (*floorProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &floorProcess{key: signature.GenerateSymmetric(), cmd: exec.CommandContext(ctx, self, floorArg)}
	f.cmd.Stderr = os.Stderr
	in, err := f.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the floor server: %w", err)
	}
	f.in = in
	_, errWrite := fmt.Fprintln(in, strings.TrimPrefix(f.key.Reveal(), "whsec_"))
	f.addr, err = bufio.NewReader(out).ReadString('\n')
	if err := errors.Join(errWrite, err); err != nil {
		return nil, errors.Join(fmt.Errorf("start the floor server: %w", err), f.stop())
	}
	f.addr = strings.TrimSpace(f.addr)
	return f, nil
}

func (f *floorProcess) stop() error {
	return errors.Join(f.in.Close(), f.cmd.Wait())
}
