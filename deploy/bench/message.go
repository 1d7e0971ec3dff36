package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// bodySize is the size of every webhook body in bytes: that of a usual request.
const bodySize = 600

// numberLen is how many digits a message's number takes in its id and in its account.
const numberLen = 10

// message is one whole HTTP request that is signed anew for every number: same length, other id, account, time and
// signature. Making one allocates nothing, because whoever makes load shares the processors with what is measured.
type message struct {
	raw     []byte
	id      []byte // parts of raw, to be overwritten
	time    []byte
	sign    []byte
	account []byte
	people  uint64
	body    []byte
	mac     hash.Hash
	sum     [sha256.Size]byte
}

// template is what all messages to one server have in common.
type template struct {
	text   string // the request with zeros where message writes
	run    string // makes the ids of one run different from those of another
	secret []byte
	people uint64        // how many accounts there are; 0: as many as messages
	next   atomic.Uint64 // the last number that was given away; a number is never used twice
}

// newTemplate makes the request to a host for a source, signed with a whsec_ key.
func newTemplate(host, source string, key signature.Key) (*template, error) {
	encoded, ok := strings.CutPrefix(key.Reveal(), "whsec_")
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("the benchmark signs with whsec_ keys only: %w", err)
	}
	body, err := fullBody()
	if err != nil {
		return nil, err
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	t := &template{run: hex.EncodeToString(random), secret: secret}
	t.text = fmt.Sprintf("POST /v1/hooks/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"Webhook-Id: bench_%s_%s\r\nWebhook-Timestamp: %010d\r\nWebhook-Signature: v1,%s\r\n\r\n%s",
		source, host, len(body), t.run, zeros(numberLen), 0, zeros(base64.StdEncoding.EncodedLen(sha256.Size)), body)
	return t, nil
}

func zeros(n int) string { return strings.Repeat("0", n) }

// fullBody makes a valid native body of exactly bodySize, with zeros for the number of the account.
func fullBody() ([]byte, error) {
	yes := true
	request := schemas.Request{Account: schemas.Account{Type: schemas.AccountAddress, Value: "user" + zeros(numberLen) + "@example.com"},
		Mode: schemas.ModeRandomize, RevokeSessions: &yes, Reference: "INC0012345", Description: "Credential phish, case 4711. "}
	for range 2 { // once to see what is missing, once filled
		body, err := schemas.Encode(schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: time.Now().UTC().Truncate(time.Second),
			Data: schemas.Requests{Items: []schemas.Request{request}}})
		if err != nil || len(body) == bodySize {
			return body, err
		}
		request.Description += strings.Repeat("x", max(0, bodySize-len(body)))
	}
	return nil, fmt.Errorf("a body of %d bytes cannot be made", bodySize)
}

// message makes a copy for one connection.
func (t *template) message() *message {
	m := &message{raw: []byte(t.text), people: t.people, mac: hmac.New(sha256.New, t.secret)}
	part := func(mark string, n int) []byte {
		at := bytes.Index(m.raw, []byte(mark)) + len(mark)
		return m.raw[at : at+n]
	}
	m.id = part("Webhook-Id: ", len("bench__")+len(t.run)+numberLen)
	m.time = part("Webhook-Timestamp: ", 10)
	m.sign = part("Webhook-Signature: v1,", base64.StdEncoding.EncodedLen(sha256.Size))
	m.body = part("\r\n\r\n", bodySize)
	m.account = part(`"user`, numberLen)
	return m
}

// number writes a message's number, time and signature into it.
func (m *message) number(n uint64, at time.Time) []byte {
	digits(m.id[len(m.id)-numberLen:], n)
	who := n
	if m.people > 0 {
		who %= m.people
	}
	digits(m.account, who)
	strconv.AppendInt(m.time[:0], at.Unix(), 10)
	m.mac.Reset()
	m.mac.Write(m.id)
	m.mac.Write(dot)
	m.mac.Write(m.time)
	m.mac.Write(dot)
	m.mac.Write(m.body)
	base64.StdEncoding.Encode(m.sign, m.mac.Sum(m.sum[:0]))
	return m.raw
}

var dot = []byte(".")

func digits(into []byte, n uint64) {
	for i := len(into) - 1; i >= 0; i-- {
		into[i] = byte('0' + n%10)
		n /= 10
	}
}
