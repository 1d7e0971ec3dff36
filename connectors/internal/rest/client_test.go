package rest_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

func TestAuthorityOfTheSettingsIsTheOnlyOne(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that is refused on purpose
	server.StartTLS()
	defer server.Close()
	_, f := client(t, server.URL, nil).Do(t.Context(), write())
	codeIs(t, "the machine's own authorities", f, schemas.CodeUnavailable)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, server.URL, func(o *rest.Options) { o.TLSCA = ca })
	if secure, clock := c.Seen(); secure != nil || !clock.IsZero() {
		t.Error("something was seen before the first answer")
	}
	if _, f := c.Do(t.Context(), write()); f != nil {
		t.Fatal(f)
	}
	secure, clock := c.Seen()
	if secure == nil || secure.Version != "TLS 1.3" || !secure.Until.Equal(server.Certificate().NotAfter) {
		t.Errorf("seen %+v", secure)
	}
	if d := time.Since(clock); d < -time.Minute || d > time.Minute {
		t.Errorf("the clock differs by %s", d)
	}
}

func TestPlainConnectionShowsNoTLS(t *testing.T) {
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	if _, f := c.Do(t.Context(), read()); f != nil {
		t.Fatal(f)
	}
	if secure, clock := c.Seen(); secure == nil || secure.Version != rest.PlainHere || !secure.Until.IsZero() || clock.IsZero() {
		t.Errorf("seen %+v, %s", secure, clock)
	}
}

func TestAuthorityThatIsNoneIsAMistakeInTheSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "missing")} {
		_, err := rest.New(rest.Options{Base: "https://example.com", System: "corp", TLSCA: file})
		if m, ok := errors.AsType[*connectors.ConfigError](err); !ok || m.Key != "tls_ca" {
			t.Errorf("%v", err)
		}
	}
}

func TestAddressesThatMayBeGiven(t *testing.T) {
	for text, want := range map[string]bool{
		"https://example.com": true, "https://example.com:8443/realms/": true, "http://localhost:8080": true, "http://127.0.0.1": true, "http://127.9.9.9:1": true, "http://[::1]:80": true,
		"": false, "example.com": false, "ftp://example.com": false, "http://example.com": false, "https://": false, "https://u:p@example.com": false,
		"https://example.com?x=1": false, "https://example.com?": false, "https://example.com#x": false, "https:example.com": false, "http://10.0.0.1": false,
		// Names that only look like this machine.
		"http://127.0.0.1.example.com": false, "http://127.example.com": false, "http://localhost.example.com": false,
	} {
		err := rest.CheckURL("url", text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if m, ok := errors.AsType[*connectors.ConfigError](err); err != nil && (!ok || m.Key != "url") {
			t.Errorf("%q: %v is no mistake in url", text, err)
		}
	}
}
