package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestEveryRefusalOfTheTokenServerHasItsCodeAndAdvice(t *testing.T) {
	for number, says := range map[int]string{
		7000215: "Certificates & secrets", 7000222: "expired", 700027: "certificate", 700016: "client_id", 7000112: "disabled", 700213: "subject",
		53003: "Conditional Access", 90002: "tenant_id", 123456: "AADSTS123456",
	} {
		w := newWorld()
		c := connect(t, newFront(t, w, func(f *front) { f.refuseToken = number }))
		_, err := c.Probe(t.Context())
		got := codeIs(t, err, schemas.CodeBadCredentials)
		if !strings.Contains(got.Detail, says) || !strings.Contains(got.Detail, "AADSTS"+strconv.Itoa(number)) || !strings.Contains(got.Detail, "corp-entra") {
			t.Errorf("AADSTS%d: %s", number, got.Detail)
		}
		for _, err := range []error{got, got.Cause} { // the imitation quotes the secret, as a careless gateway would
			if err != nil && strings.Contains(err.Error(), secretText) {
				t.Errorf("AADSTS%d: the secret shows: %v", number, err)
			}
		}
	}
}

func TestFaultsOfTheTokenServerChangeNothing(t *testing.T) {
	onToken := func(do http.HandlerFunc) func(*front) {
		return func(f *front) {
			f.wire = func(_ *front, w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/token") {
					return false
				}
				do(w, r)
				return true
			}
		}
	}
	for name, one := range map[string]struct {
		do   http.HandlerFunc
		code schemas.Code
		wait time.Duration
	}{
		"throttled": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(429)
		}, schemas.CodeRateLimited, 9 * time.Second},
		"down": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, schemas.CodeUnavailable, 0},
		"transient": {func(w http.ResponseWriter, _ *http.Request) {
			aadsts(w, 400, "temporarily_unavailable", 90033, "Later.")
		}, schemas.CodeUnavailable, 0},
		"a web page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) }, schemas.CodeUnavailable, 0},
		"a proxy":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) }, schemas.CodeUnavailable, 0},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, schemas.CodeUnavailable, 0},
		"cut off":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, schemas.CodeUnavailable, 0},
		"empty answer": {func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{}) }, schemas.CodeUnavailable, 0},
		"no words": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"error":"invalid_request"}`))
		}, schemas.CodeBadCredentials, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			f := newFront(t, w, onToken(one.do))
			_, err := connect(t, f).Reset(t.Context(), schemas.Identity{ID: w.add("a@example.com", nil).id}, schemas.ModeRandomize)
			if got := codeIs(t, err, one.code); got.RetryAfter != one.wait {
				t.Errorf("the wait is %s", got.RetryAfter)
			}
			if len(f.log) > 0 {
				t.Error("Graph was called without a token")
			}
		})
	}
}

func TestTokenIsKeptUntilItEnds(t *testing.T) {
	for life, want := range map[time.Duration]int{time.Hour: 1, time.Second: 3} {
		w := newWorld()
		f := newFront(t, w, func(f *front) { f.tokenLife = life })
		c := connect(t, f)
		p := w.add("a@example.com", nil)
		for range 3 {
			if _, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, schemas.Evidence{}); err != nil {
				t.Fatal(err)
			}
		}
		if len(f.issued) != want {
			t.Errorf("tokens of %s: %d were fetched for three calls, want %d", life, len(f.issued), want)
		}
	}
}

// certificate makes a PEM file with a certificate and its key.
func certificate(t *testing.T, until time.Time) (string, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "resetd"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until},
		&x509.Certificate{Subject: pkix.Name{CommonName: "resetd"}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "resetd.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, cert
}

func TestSignInByCertificate(t *testing.T) {
	w := newWorld()
	file, cert := certificate(t, time.Now().Add(10*24*time.Hour))
	f := newFront(t, w, func(f *front) { f.certificate = cert })
	config := f.config()
	config.ClientSecret, config.Certificate = schemas.Secret{}, file
	c := open(t, config)
	defer func() { _ = c.Close() }()
	got, err := c.Probe(t.Context())
	if err != nil || len(got.Missing) > 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if !strings.Contains(strings.Join(got.Warn, "\n"), "the certificate ends on "+cert.NotAfter.Format(time.DateOnly)) {
		t.Errorf("the end of the certificate is not warned of: %q", got.Warn)
	}
	strange, _ := certificate(t, time.Now().Add(time.Hour))
	config.Certificate = strange
	other := open(t, config)
	defer func() { _ = other.Close() }()
	_, err = other.Probe(t.Context())
	codeIs(t, err, schemas.CodeBadCredentials)
}

func TestSignInByFederatedTokenReadsTheFileAnew(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, func(f *front) { f.federated, f.tokenLife = "header.second.signature", time.Second })
	file := filepath.Join(t.TempDir(), "token")
	config := f.config()
	config.ClientSecret, config.FederatedTokenFile = schemas.Secret{}, file
	c := open(t, config)
	defer func() { _ = c.Close() }()
	_, err := c.Probe(t.Context())
	codeIs(t, err, schemas.CodeBadCredentials)
	for text, want := range map[string]bool{"header.first.signature": false, "header.second.signature\n": true} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Probe(t.Context()); (err == nil) != want {
			t.Errorf("the file with %q: %v", text, err)
		}
	}
}

func TestSignInByManagedIdentity(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	// The endpoint that Azure App Service gives its applications.
	platform := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-IDENTITY-HEADER") != "platform-secret" || r.URL.Query().Get("client_id") != appFull || r.URL.Query().Get("resource") != f.server.URL {
			out.WriteHeader(http.StatusBadRequest)
			return
		}
		f.mu.Lock()
		f.tokens["managed-token"] = w.apps[appFull]
		f.mu.Unlock()
		answer(out, map[string]any{"access_token": "managed-token", "expires_on": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10), "resource": f.server.URL, "token_type": "Bearer"})
	}))
	defer platform.Close()
	t.Setenv("IDENTITY_ENDPOINT", platform.URL)
	t.Setenv("IDENTITY_HEADER", "platform-secret")
	config := f.config()
	config.ClientSecret, config.ManagedIdentity = schemas.Secret{}, true
	c := open(t, config)
	defer func() { _ = c.Close() }()
	p := w.add("a@example.com", nil)
	if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
}
