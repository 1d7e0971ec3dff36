package testserver

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net"
	"strconv"
)

// The ports to choose from: below the range that Linux (32768) and macOS
// (49152) give to outgoing connections, so that a stopped server finds its port
// still free when it is started again.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// freePort returns a port of 127.0.0.1 that nobody listens on at the moment.
// Another process may take it before the server does; [daemon.start] then moves.
func freePort() (int, error) {
	for range 200 {
		port := lowestPort + mathrand.IntN(highestPort-lowestPort)
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return 0, err
		}
		return port, nil
	}
	return 0, errors.New("no free port found on 127.0.0.1 between 20000 and 32000: end what listens there")
}

// address returns host:port on the loopback interface.
func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// newPassword returns a random password of 26 letters and digits: it needs no
// escaping in a URL, a configuration file or SQL.
func newPassword() string { return rand.Text() }
