//go:build bench

package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // registers itself with http.DefaultServeMux, which nothing else here uses
	"os"
)

// A benchmark build answers for profiles at the address in RESETD_PPROF, on loopback only. It is an init, against the
// custom of the house, so that the builds that are shipped carry no trace of it.
func init() {
	addr := os.Getenv("RESETD_PPROF")
	if addr == "" {
		return
	}
	fail := func(why any) {
		fmt.Fprintln(os.Stderr, "RESETD_PPROF:", why)
		os.Exit(2)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		fail(err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		fail("profiles are given on loopback only; use 127.0.0.1:PORT")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		fail(err)
	}
	go func() { _ = http.Serve(listener, nil) }() // ends with the process
}
