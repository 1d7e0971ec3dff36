package testserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// motoVersion is the moto that test-servers.sh installs where there is none.
const motoVersion = "5.2.5"

var needMoto = need{"moto", "python3-venv", []string{"moto_server"}}

// MotoServer is a running moto: an imitation of AWS that keeps state, checks
// signatures, and obeys IAM policies. It holds one account without users but
// its administrator.
type MotoServer struct {
	*daemon
	URL     string // the endpoint of every service
	Account string // the AWS account's twelve digits
	Region  string
	Admin   MotoKeys // may do everything
}

// MotoKeys are a user's access key.
type MotoKeys struct{ ID, Secret string }

// oneMoto is the moto of this test process: its start takes seconds, and
// forgetting everything takes none.
var oneMoto struct {
	sync.Mutex
	server *MotoServer
}

// Moto gives the test a moto that knows nothing but its administrator. There is
// one for each test process, which ends with the process, so tests that use it
// do not run in parallel.
func Moto(t testing.TB) *MotoServer {
	t.Helper()
	oneMoto.Lock()
	defer oneMoto.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	var err error
	if oneMoto.server == nil {
		oneMoto.server, err = StartMoto(ctx, "")
	} else {
		fresh := *oneMoto.server // what the last test still holds keeps its keys
		if err = fresh.secure(ctx); err == nil {
			oneMoto.server = &fresh
		}
	}
	if err != nil {
		giveUp(t, err)
	}
	return oneMoto.server
}

// StartMoto starts a moto in the folder moto inside dir, or in a temporary
// folder when dir is "". The context bounds the start, not the server's life:
// that ends with Close, or with the calling process. It returns a *MissingError
// when moto is not installed.
//
// Unlike other servers it runs as the caller even if that is root: Python
// packages lie in the caller's home as a rule, where nobody else can read them.
func StartMoto(ctx context.Context, dir string) (*MotoServer, error) {
	program, err := findMoto()
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "moto", nil)
	if err != nil {
		return nil, err
	}
	server := &MotoServer{Account: "123456789012", Region: "us-east-1"}
	var port int
	server.daemon = &daemon{
		name: "moto", space: space, end: signalTerm, ready: server.ping,
		argv: func() []string { return []string{program, "-H", "127.0.0.1", "-p", strconv.Itoa(port)} },
		move: func() (err error) {
			if port, err = freePort(); err != nil {
				return err
			}
			server.URL = "http://" + address(port)
			return nil
		},
	}
	if err := server.move(); err != nil {
		space.discard()
		return nil, err
	}
	if err := server.boot(ctx, "TERM"); err != nil {
		return nil, err
	}
	if err := server.secure(ctx); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return server, nil
}

// findMoto looks where programs are, and then in the folder that
// test-servers.sh installs into.
func findMoto() (string, error) {
	program, err := needMoto.find()
	if err == nil {
		return program, nil
	}
	if _, told := os.LookupEnv("RESETD_TEST_DIRS"); told {
		return "", err // these folders and no other
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	if program, found := needMoto.in(filepath.Join(cache, "resetd", "moto-"+motoVersion, "bin")); found == nil {
		return program, nil
	}
	return "", err
}

// ping succeeds when the server answers as moto does.
func (s *MotoServer) ping(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/moto-api/data.json", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("moto at %s: HTTP %d", s.URL, answer.StatusCode)
	}
	return nil
}
