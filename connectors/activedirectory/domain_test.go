package activedirectory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
)

// people is how many accounts there are that no test has touched.
const people = 220

// shared is the one domain of all tests: a domain controller takes its time to start. Tests keep to accounts of their own.
var shared struct {
	once   sync.Once
	server *testserver.SambaServer
	err    error
	used   atomic.Int32
}

// domain gives the domain, or ends the test where there can be none.
func domain(t *testing.T) *testserver.SambaServer {
	t.Helper()
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		shared.server, shared.err = testserver.StartSamba(ctx, "", testserver.WithAccounts(people))
	})
	if missing, ok := errors.AsType[*testserver.MissingError](shared.err); ok && !testserver.Required(missing.Server) {
		t.Skip(missing.Error())
	}
	if shared.err != nil {
		t.Fatalf("starting a domain controller: %v", shared.err)
	}
	return shared.server
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the domain controller:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}
