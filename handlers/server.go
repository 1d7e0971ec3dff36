package handlers

import (
	"bytes"
	"log"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// The server's bounds. Together they see to it that a client that sends or reads slowly holds a connection for a known
// time only. A call that waits for a task extends its own.
const (
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 15 * time.Second // header and body
	WriteTimeout      = 30 * time.Second // from the end of the header to the end of the answer
	IdleTimeout       = 2 * time.Minute  // between two requests of one connection
	MaxHeaderBytes    = 64 << 10
)

// NewServer makes the server for a face. Its Shutdown lets calls that wait for a task answer at once.
func NewServer(addr string, f *Face) *http.Server {
	s := &http.Server{
		Addr: addr, Handler: f,
		ReadHeaderTimeout: ReadHeaderTimeout, ReadTimeout: ReadTimeout, WriteTimeout: WriteTimeout, IdleTimeout: IdleTimeout,
		MaxHeaderBytes: MaxHeaderBytes,
		ErrorLog:       log.New(serverLog{f.refusal}, "", 0),
	}
	s.RegisterOnShutdown(f.release)
	return s
}

// serverLog carries what net/http has to say into our log. Strangers can cause it, so its rate is bounded.
type serverLog struct{ to zerolog.Logger }

// Write implements io.Writer.
func (l serverLog) Write(line []byte) (int, error) {
	l.to.Warn().Bytes("server", bytes.TrimSpace(line)).Msg("connection failed")
	return len(line), nil
}
