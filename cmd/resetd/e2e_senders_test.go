package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// foreign sends a body to a source as a sender of its own kind does, and gives the status and the first task.
func (s *stage) foreign(client *http.Client, path, body string, header map[string]string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL()+"/v1/hooks/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	answer, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct {
		Tasks []harness.Accepted `json:"tasks"`
	}
	if json.NewDecoder(answer.Body).Decode(&got) != nil || len(got.Tasks) == 0 {
		return answer.StatusCode, ""
	}
	return answer.StatusCode, got.Tasks[0].ID
}

// withSources adds sources, each told at the stage's receiver.
func withSources(yaml string, secrets map[string]string, more ...func(*harness.SiteOptions)) func(*harness.SiteOptions) {
	return func(o *harness.SiteOptions) {
		o.Sources = yaml
		for name, text := range secrets {
			o.Secrets[name] = text
		}
		for _, m := range more {
			m(o)
		}
	}
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// A sender that signs in its own way, with a body of its own, leads to a real reset. What was changed is refused; what was
// sent again is the same task, whatever the headers that are not signed say.
func TestEndToEndSenderWithItsOwnSignatureAndBody(t *testing.T) {
	const key = "grafana-secret-of-32-characters!!"
	s := play(t, withSources("  - name: grafana\n    preset: grafana\n    verify: {keys: [\"file:grafana.key\"]}\n    systems: [corp-ldap]\n", map[string]string{"grafana.key": key}))
	who := s.slapd.Person(testserver.JDoe)
	body := fmt.Sprintf(`{"receiver":"resetd","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Impossible travel","user":"somebody-else@example.com"},
"annotations":{"resetd_account":%q,"summary":"Impossible travel"},"startsAt":%q,"endsAt":"0001-01-01T00:00:00Z","fingerprint":"a1b2c3"}],
"groupKey":"{}:{}","version":"1","state":"alerting"}`, who.Mail, time.Now().UTC().Format(time.RFC3339))
	now := fmt.Sprint(time.Now().Unix())
	signed := map[string]string{"X-Grafana-Alerting-Timestamp": now, "X-Grafana-Alerting-Signature": mac(key, now+":"+body)}
	if status, _ := s.foreign(http.DefaultClient, "grafana", strings.Replace(body, who.Mail, testserver.Alice+"@example.com", 1), signed); status != http.StatusUnauthorized {
		t.Fatalf("a changed body gives %d", status)
	}
	status, id := s.foreign(http.DefaultClient, "grafana", body, signed)
	if status != http.StatusAccepted || id == "" {
		t.Fatalf("HTTP %d", status)
	}
	task := s.final(id)
	if task.Status != schemas.StatusSuccessful || task.Request.Account.Value != who.Mail || task.Source != "grafana" {
		t.Fatalf("%s %s: %s", task.Status, task.Request.Account, task.Detail)
	}
	if _, err := s.slapd.Bind(who.DN, who.Password); err == nil {
		t.Error("the old password still binds")
	}
	signed["X-Request-Id"] = "another"
	if status, again := s.foreign(http.DefaultClient, "grafana", body, signed); status != http.StatusAccepted || again != id {
		t.Errorf("the same body again gives %d %s, want %s", status, again, id)
	}
	if strings.Contains(s.log.String(), key) {
		t.Error("the key is in the log")
	}
}

// A secret in the URL proves its sender from the networks that it may come from, and is in no log line, metric or history.
func TestEndToEndSecretInTheURLIsKeptNowhere(t *testing.T) {
	const token = "splunk-url-token-0a1b2c3d4e5f"
	s := play(t, withSources("  - name: splunk\n    preset: splunk-webhook\n    verify: {keys: [\"file:splunk.key\"], allow_from: [127.0.0.0/8]}\n    systems: [corp-ldap]\n"+
		"  - name: elsewhere\n    preset: splunk-webhook\n    verify: {keys: [\"file:other.key\"], allow_from: [192.0.2.0/24]}\n    systems: [corp-ldap]\n",
		map[string]string{"splunk.key": token, "other.key": "other-url-token-0a1b2c3d4e5f"}))
	who := s.slapd.Person(testserver.JDoe)
	body := fmt.Sprintf(`{"sid":"scheduler_1","search_name":"Leaked credential","app":"search","owner":"admin","results_link":"https://splunk.example.com/1","result":{"user":%q,"count":"1"}}`, who.Mail)
	if status, _ := s.foreign(http.DefaultClient, "elsewhere/other-url-token-0a1b2c3d4e5f", body, nil); status != http.StatusUnauthorized {
		t.Errorf("a network that is not allowed gives %d", status)
	}
	if status, _ := s.foreign(http.DefaultClient, "splunk/"+token+"x", body, nil); status != http.StatusUnauthorized {
		t.Errorf("another token gives %d", status)
	}
	status, id := s.foreign(http.DefaultClient, "splunk/"+token, body, nil)
	if status != http.StatusAccepted {
		t.Fatalf("HTTP %d\n%s", status, s.log)
	}
	if task := s.final(id); task.Status != schemas.StatusSuccessful {
		t.Fatalf("%s %s", task.Status, task.Detail)
	}
	var metrics []byte
	if code, err := s.client.Get(t.Context(), "/metrics", &metrics); err != nil || code != 200 {
		t.Fatal(code, err)
	}
	var history []byte
	if code, err := s.client.Get(t.Context(), "/v1/tasks/"+id+"/events", &history); err != nil || code != 200 {
		t.Fatal(code, err)
	}
	for what, text := range map[string][]byte{"log": s.log.Bytes(), "metrics": metrics, "history": history} {
		if bytes.Contains(text, []byte(token)) {
			t.Errorf("the token is in the %s", what)
		}
	}
	out, code := s.run("source", "status", "-c", "resetd.yaml")
	if code != 0 || !strings.Contains(out, "splunk-webhook") || !strings.Contains(out, "shared-secret (weak)") || !strings.Contains(out, "forbidden_address") {
		t.Errorf("source status: %d\n%s", code, out)
	}
}

// authority makes a certificate authority and a certificate for a client.
func authority(t *testing.T, uri string) (ca string, client tls.Certificate) {
	t.Helper()
	now := time.Now()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SIEM CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{uri},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	text := "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(rootDER) + "\n-----END CERTIFICATE-----\n"
	return text, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leafKey}
}

// A client certificate proves its sender over TLS of resetd's own; who has none, or another's, is refused there, and other
// sources need none.
func TestEndToEndClientCertificate(t *testing.T) {
	ca, client := authority(t, "siem.example.com")
	_, stranger := authority(t, "siem.example.com")
	s := play(t, withSources("  - name: siem\n    preset: native\n    verify: {scheme: mtls, certificate: {ca: siem-ca.pem, names: [\"dns:siem.example.com\"]}}\n    systems: [corp-ldap]\n",
		map[string]string{"siem-ca.pem": ca}, func(o *harness.SiteOptions) { o.TLS = true }))
	body, err := harness.Body(s.slapd.Person(testserver.JDoe).Mail)
	if err != nil {
		t.Fatal(err)
	}
	with := func(certificates ...tls.Certificate) *http.Client {
		c := s.TLS.Clone()
		c.Certificates = certificates
		return &http.Client{Transport: &http.Transport{TLSClientConfig: c}, Timeout: 10 * time.Second}
	}
	if status, _ := s.foreign(with(), "siem", string(body), nil); status != http.StatusUnauthorized {
		t.Errorf("no certificate gives %d", status)
	}
	if status, _ := s.foreign(with(stranger), "siem", string(body), nil); status != http.StatusUnauthorized {
		t.Errorf("a certificate of another authority gives %d", status)
	}
	status, id := s.foreign(with(client), "siem", string(body), nil)
	if status != http.StatusAccepted || s.final(id).Status != schemas.StatusSuccessful {
		t.Fatalf("HTTP %d\n%s", status, s.log)
	}
	if task := s.ask("msg_1", s.slapd.Person(testserver.Alice).Mail)[0]; task.Status != schemas.StatusSuccessful {
		t.Errorf("a source without certificates: %s", task.Status)
	}
}
