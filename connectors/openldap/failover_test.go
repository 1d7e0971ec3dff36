package openldap_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestNextServerIsTakenWhenOneFails(t *testing.T) {
	s := testserver.Slapd(t)
	for name, bad := range map[string]string{
		"down":    ldaptest.DeadURL(t),
		"hangs":   ldaptest.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }),
		"cut off": ldaptest.Listen(t, func(c net.Conn) { _ = c.Close() }),
	} {
		t.Run(name, func(t *testing.T) {
			c := configOf(s)
			c.URL, c.URLs, c.Timeout = "", []string{bad, s.URL}, 2*time.Second
			id, err := open(t, c).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe})
			if err != nil || id.ID == "" {
				t.Errorf("Resolve: %v, %v", id, err)
			}
		})
	}
}

func TestServerThatWorkedIsTriedFirst(t *testing.T) {
	s := testserver.Slapd(t)
	var asked atomic.Int32
	bad := ldaptest.Listen(t, func(c net.Conn) { asked.Add(1); _ = c.Close() })
	p := newProxy(t, s.URL)
	c := configOf(s)
	c.URL, c.URLs = "", []string{bad, p.URL}
	connector := open(t, c)
	for range 3 {
		if _, err := connector.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe}); err != nil {
			t.Fatal(err)
		}
		p.Cut() // so that the next call needs a new connection
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the server that fails was asked %d times, want once", n)
	}
}

func TestWrongPasswordIsNotTriedOnEveryServer(t *testing.T) {
	s := testserver.Slapd(t)
	var asked atomic.Int32
	other := ldaptest.Listen(t, func(c net.Conn) { asked.Add(1); _ = c.Close() })
	c := configOf(s)
	c.URL, c.URLs, c.Password = "", []string{s.URL, other}, schemas.NewSecret("wrong-password")
	_, err := open(t, c).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeBadCredentials); !strings.Contains(detail, "corp-ldap") {
		t.Errorf("the detail does not name the system to correct: %s", detail)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the second server was asked %d times; a lock-out counter there would have counted too", n)
	}
}

func TestEveryServerIsNamedWhenAllFail(t *testing.T) {
	s := testserver.Slapd(t)
	one, two := ldaptest.DeadURL(t), ldaptest.DeadURL(t)
	c := configOf(s)
	c.URL, c.URLs = "", []string{one, two}
	_, err := open(t, c).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeUnavailable); !strings.Contains(detail, one) || !strings.Contains(detail, two) {
		t.Errorf("the detail does not name both servers: %s", detail)
	}
}

// What a reset costs when the connection in the pool is dead matters: a lost answer would put the task in doubt.
func TestRestartedServerIsNoticedBeforeAnythingIsSent(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(5))
	next := fresh(s)
	c := open(t, configOf(s))
	for range 3 {
		p := next(t)
		if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestServerThatHangsInTheMiddleEndsWithTheTimeout(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(1))
	p := newProxy(t, s.URL)
	p.OnModify = ldaptest.Swallow
	config := configOf(s)
	config.URL, config.Timeout = p.URL, 300*time.Millisecond
	c := open(t, config)
	_, err := c.Reset(t.Context(), schemas.Identity{ID: fresh(s)(t).ID}, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeTimedOut)
	// The connection with the open request must not be used again.
	if _, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe}); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestServerThatSendsWithoutEndIsCutOff(t *testing.T) {
	var sent atomic.Int64
	url := ldaptest.Listen(t, func(c net.Conn) {
		// The head of an LDAP message of 1 GiB whose message id is an integer of nearly as much.
		_, _ = c.Write([]byte{0x30, 0x84, 0x40, 0, 0, 0, 0x02, 0x84, 0x3f, 0xff, 0xff, 0xf0})
		for chunk := make([]byte, 64<<10); ; sent.Add(int64(len(chunk))) {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	})
	s := testserver.Slapd(t)
	c := configOf(s)
	c.URL, c.Timeout = url, time.Minute
	_, err := open(t, c).Probe(t.Context())
	wantCode(t, err, schemas.CodeUnavailable)
	// What the kernel holds in its buffers counts as sent.
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d MiB were taken from a server that sends without end", n>>20)
	}
}

func TestBusyPoolEndsWithTheCallersPatience(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(1))
	p := newProxy(t, s.URL)
	p.OnModify = ldaptest.Swallow
	config := configOf(s)
	config.URL, config.Pool = p.URL, 1
	c := open(t, config)
	id := fresh(s)(t).ID
	held := make(chan error, 1)
	go func() {
		_, err := c.Reset(t.Context(), schemas.Identity{ID: id}, schemas.ModeRandomize)
		held <- err
	}()
	for len(p.Seen()) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	_, err := c.Resolve(ctx, schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe})
	if detail := wantCode(t, err, schemas.CodeTimedOut); !strings.Contains(detail, "pool") {
		t.Errorf("the detail does not lead to pool: %s", detail)
	}
	p.Cut()
	wantCode(t, <-held, schemas.CodeTimedOut)
}
