package callback

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/resetd/resetd/schemas"
)

// classify turns the error of an attempt without an answer into its class and a sentence of our own. Error texts of the
// libraries are not passed on: some quote the URL, and some the bytes that the receiver sent.
func classify(parent context.Context, err error, t target) schemas.Attempt {
	place := t.place()
	if errors.Is(parent.Err(), context.Canceled) {
		return failed(ClassInterrupted, "the attempt at "+place+" was broken off because this process or worker stops")
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return failed(ClassRefusedAddress, place+": "+r.Error())
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		if d.IsNotFound {
			return failed(ClassDNS, "the name "+t.host+" does not exist; correct the callback URL, or the DNS of this machine")
		}
		return failed(ClassDNS, "the name "+t.host+" could not be resolved; look at the DNS of this machine")
	}
	if h, ok := errors.AsType[*handshakeError](err); ok && !timedOut(h.err) {
		return failed(ClassTLS, place+": "+tlsFault(h.err))
	}
	switch {
	case timedOut(err):
		return failed(ClassTimeout, place+" did not answer in time; it may have got the message all the same")
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed(ClassConnect, place+" refused the connection; see that the receiver runs, and that the port is right")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return failed(ClassConnect, "there is no route to "+place+"; look at the network and the firewall")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failed(ClassConnect, place+" closed the connection without an answer; it may have got the message all the same")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return failed(ClassConnect, place+" cannot be connected to; look at the network and the firewall")
	}
	return failed(ClassProtocol, place+" answered with something that is not HTTP; see that the port belongs to a web server")
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// tlsFault names the fault of a handshake. Names inside a foreign certificate are not repeated.
func tlsFault(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that is not known here; name that authority's file in callbacks.tls_ca"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another host; correct the callback URL, or the certificate"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "its certificate has expired or is not valid yet; renew it, and compare the clocks"
		}
		return "its certificate is not valid; replace it"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS on this port; correct the port or the scheme"
	}
	return "no TLS connection could be agreed on; see that it speaks TLS 1.2 or later and asks for no client certificate"
}
