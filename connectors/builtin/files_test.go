package builtin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

// serviceAccountFile is the key of a Google service account that an example names. It is made here, because a private key
// in a repository alarms everybody who looks for such.
const serviceAccountFile = "service-account.json"

// writeServiceAccount writes one into the test's folder, if the example names it.
func writeServiceAccount(t *testing.T, example string) {
	t.Helper()
	if !strings.Contains(example, serviceAccountFile) {
		return
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "example", "private_key_id": "0123456789abcdef",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "resetd@example.iam.gserviceaccount.com", "client_id": "100000000000000000000",
		"token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(serviceAccountFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
