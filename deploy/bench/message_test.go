package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

func TestEveryMessageIsAValidSignedWebhookOfItsOwn(t *testing.T) {
	key := signature.GenerateSymmetric()
	tpl, err := newTemplate("127.0.0.1:1", "soar", key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, now := tpl.message(), time.Now()
	ids, accounts := map[string]bool{}, map[string]bool{}
	for _, n := range []uint64{1, 2, 9_999_999_999} {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(m.number(n, now))))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil || len(body) != bodySize || req.URL.Path != "/v1/hooks/soar" {
			t.Fatalf("%s with %d bytes, %v", req.URL, len(body), err)
		}
		if _, err := verifier.Verify(req.Header, body, now); err != nil {
			t.Fatal(err)
		}
		var d schemas.Delivery
		if p := schemas.Decode(body, &d); p != nil {
			t.Fatal(p)
		}
		if p := schemas.NewValidator().Check(&d); p != nil {
			t.Fatal(p)
		}
		ids[req.Header.Get(signature.HeaderID)], accounts[d.Data.Items[0].Account.Value] = true, true
	}
	if len(ids) != 3 || len(accounts) != 3 {
		t.Fatalf("ids %v, accounts %v", ids, accounts)
	}
}

func TestMakingAMessageAllocatesNothing(t *testing.T) {
	tpl, err := newTemplate("127.0.0.1:1", "soar", signature.GenerateSymmetric())
	if err != nil {
		t.Fatal(err)
	}
	m, now := tpl.message(), time.Now()
	if n := testing.AllocsPerRun(100, func() { m.number(7, now) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
