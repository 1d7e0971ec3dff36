package queue

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/resetd/resetd/schemas"
)

func TestSentinelsLeadToTheMasterAndOverAFailover(t *testing.T) {
	master := redisProcess(t, "")
	replica := redisProcess(t, "", fmt.Sprintf("replicaof 127.0.0.1 %d", master))
	watcher := redisProcess(t, "--sentinel",
		fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1", master),
		"sentinel auth-pass main "+processPassword,
		"sentinel down-after-milliseconds main 1000")
	sentinel := processClient(t, watcher)
	eventually(t, "the sentinel knows the replica", func() bool {
		list, err := sentinel.Do(t.Context(), "sentinel", "replicas", "main").Slice()
		return err == nil && len(list) == 1 && strings.Contains(fmt.Sprint(list), "master-link-status ok")
	})
	var log journal
	// The second sentinel does not exist.
	url := fmt.Sprintf("redis+sentinel://:%s@127.0.0.1:%d,127.0.0.1:1/main?sentinel_password=%s", processPassword, watcher, processPassword)
	q, box := open(t, Options{URL: url, Logger: log.logger()}), newInbox()
	serve(t, q, testQueue, 4, box.take)
	enqueue(t, q, works(20)...)
	box.await(t, works(20)...)

	if err := sentinel.Do(t.Context(), "sentinel", "failover", "main").Err(); err != nil {
		t.Fatal(err)
	}
	client := processClient(t, replica)
	eventually(t, "the replica is master", func() bool {
		role, err := client.Do(t.Context(), "role").Slice()
		return err == nil && fmt.Sprint(role[0]) == "master"
	})
	eventually(t, "work goes through the new master", func() bool {
		for _, w := range works(40)[20:] {
			if q.Enqueue(t.Context(), w) != nil {
				return false
			}
		}
		return true
	})
	eventually(t, "the work is handed out", func() bool {
		for _, w := range works(40)[20:] { // the sweep's turn: what went to the old master is lost
			if box.count(w) == 0 {
				_ = q.Enqueue(t.Context(), w)
				time.Sleep(50 * time.Millisecond)
			}
		}
		return box.count(work(20)) > 0 && box.count(work(39)) > 0
	})
	if text := log.String(); strings.Contains(text, processPassword) {
		t.Error("a password is in the log")
	}
	bad := strings.Replace(url, "sentinel_password="+processPassword, "sentinel_password=wrong-password", 1)
	if _, err := Open(t.Context(), Options{URL: bad}); err == nil || strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("with a wrong password the error is %v", err)
	}
}

func TestAClusterHoldsQueuesOnDifferentNodes(t *testing.T) {
	ports := make([]int, 2)
	for i := range ports {
		ports[i] = redisProcess(t, "", "cluster-enabled yes", "cluster-node-timeout 2000", fmt.Sprintf("cluster-port %d", portFor(t)))
	}
	ctx := t.Context()
	for i, port := range ports {
		slots := []any{"cluster", "addslotsrange", i * 8192, i*8192 + 8191}
		if err := processClient(t, port).Do(ctx, slots...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	bus, err := processClient(t, ports[1]).ConfigGet(ctx, "cluster-port").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := processClient(t, ports[0]).Do(ctx, "cluster", "meet", "127.0.0.1", ports[1], bus["cluster-port"]).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster is complete", func() bool {
		for _, port := range ports {
			if info := processClient(t, port).ClusterInfo(ctx).Val(); !strings.Contains(info, "cluster_state:ok") {
				return false
			}
		}
		return true
	})
	q, box := open(t, Options{URL: fmt.Sprintf("redis+cluster://:%s@127.0.0.1:%d", processPassword, ports[0])}), newInbox()
	b := open(t, Options{URL: fmt.Sprintf("redis+cluster://:%s@127.0.0.1:%d", processPassword, ports[1])})
	all := works(40)
	for i := range all {
		all[i].Queue = fmt.Sprintf("system-%d", i%8)
	}
	for i := range 8 {
		b.hold = time.Hour // so that only rings wake
		serve(t, b, fmt.Sprintf("system-%d", i), 2, box.take)
	}
	time.Sleep(100 * time.Millisecond) // the workers hold
	enqueueMany(t, q, all)
	b.ringAll() // the subscription may have come later than the enqueues
	box.await(t, all...)
	for i, port := range ports {
		if n := processClient(t, port).DBSize(ctx).Val(); n == 0 {
			t.Errorf("node %d holds nothing", i)
		}
	}
	stale := all[0]
	stale.Generation = 9
	archive(t, q, stale)
	if n, err := q.Tidy(ctx); err != nil || n != 1 {
		t.Errorf("tidied %d, %v; want 1", n, err)
	}
}

func TestTLSIsVerified(t *testing.T) {
	dir := t.TempDir()
	certificate, ca := identity(t, "redis.test")
	_, stranger := identity(t, "redis.test")
	caFile, strangerFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "stranger.pem")
	for file, content := range map[string][]byte{caFile: ca, strangerFile: stranger} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.RequireAuth("pw-over-tls")
	password := schemas.NewSecret("pw-over-tls")

	q, box := open(t, Options{URL: fmt.Sprintf("rediss://%s?tls_ca=%s&tls_server_name=redis.test", m.Addr(), caFile), Password: password}), newInbox()
	serve(t, q, testQueue, 2, box.take)
	enqueue(t, q, work(1))
	box.await(t, work(1))

	for url, want := range map[string]string{
		"rediss://%s?tls_server_name=redis.test&tls_ca=" + strangerFile: "tls_ca",
		"rediss://%s?tls_ca=" + caFile:                                  "tls_server_name",
		"rediss://%s?tls_ca=" + caFile + ".none":                        "tls_ca",
		"redis://%s":                                                    "does not answer",
	} {
		_, err := Open(t.Context(), Options{URL: fmt.Sprintf(url, m.Addr()), Password: password})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v", url, err)
		}
	}
}

// identity makes a certificate that signs itself, and its PEM form.
func identity(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draft := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
