package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// The storm: so many deliveries from so many sources about so few accounts.
const (
	stormDeliveries = 5000
	stormSources    = 5
	stormAccounts   = 10
	stormSenders    = 32 // at a time
)

// stormNames is how the sources name one person, each in its own way.
func stormNames(who testserver.Person) []any {
	return []any{who.Mail, map[string]string{"type": "user_name", "value": who.UID}, map[string]string{"type": "dn", "value": who.DN},
		map[string]string{"type": "email", "value": who.Mail}, strings.ToUpper(who.UID)}
}

// Five sources that see the same incident ask for the same ten accounts five thousand times. Every delivery is answered, every
// caller hears how it ended, and each password is set once.
func TestEndToEndStormResetsEachAccountOnce(t *testing.T) {
	keys := make([]signature.Key, stormSources)
	s := play(t, func(o *harness.SiteOptions) {
		var sources strings.Builder
		for i := range keys {
			keys[i] = signature.GenerateSymmetric()
			file := fmt.Sprintf("storm%d.key", i)
			o.Secrets[file] = keys[i].Reveal()
			fmt.Fprintf(&sources, "  - name: storm%d\n    verify: {keys: [\"file:%s\"]}\n    systems: [%s]\n    callback: {url: %q, key: \"file:callback.key\"}\n",
				i, file, strings.Join(o.Names, ", "), o.CallbackURL)
		}
		o.Sources, o.Extra = sources.String(), "log: {level: warn, format: json}\n"
	})
	began := time.Now()
	var refused atomic.Int64
	var mu sync.Mutex
	ids := map[string]bool{}
	var senders errgroup.Group
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: stormSenders}}
	for sender := range stormSenders {
		senders.Go(func() error {
			for n := sender; n < stormDeliveries; n += stormSenders {
				status, tasks, err := s.storm(client, keys[n%stormSources], n)
				if err != nil {
					return err
				}
				if status != http.StatusAccepted || len(tasks) != 1 {
					refused.Add(1)
					continue
				}
				mu.Lock()
				ids[tasks[0].ID] = true
				mu.Unlock()
			}
			return nil
		})
	}
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	if refused.Load() > 0 || len(ids) != stormDeliveries {
		t.Fatalf("%d deliveries were refused, %d tasks", refused.Load(), len(ids))
	}
	t.Logf("%d deliveries were answered in %s", stormDeliveries, time.Since(began).Round(time.Millisecond))
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		told, bad := s.receiver.Told()
		if bad > 0 {
			t.Fatalf("%d callbacks were not verified", bad)
		}
		if len(told) == stormDeliveries {
			for id, status := range told {
				if !ids[id] || status != string(schemas.StatusSuccessful) {
					t.Fatalf("task %s was told as %s", id, status)
				}
			}
			break
		}
		if time.Now().After(deadline) {
			open, err := s.client.Open(t.Context())
			t.Fatalf("%d of %d callers heard how it ended; at least %d tasks are open, %v\n%s", len(told), stormDeliveries, open, err, s.log)
		}
	}
	t.Logf("every caller had heard after %s", time.Since(began).Round(time.Millisecond))
	writes, err := s.slapd.PasswordWrites()
	if err != nil {
		t.Fatal(err)
	}
	for i := range stormAccounts {
		who := s.slapd.Person(testserver.BulkUID(i + 1))
		if n := writes[strings.ToLower(who.DN)]; n != 1 {
			t.Errorf("the password of %s was set %d times", who.UID, n)
		}
	}
}

// storm sends the n-th delivery.
func (s *stage) storm(client *http.Client, key signature.Key, n int) (int, []harness.Accepted, error) {
	names := stormNames(s.slapd.Person(testserver.BulkUID(n/stormSources%stormAccounts + 1)))
	body, err := schemas.Encode(map[string]any{"type": schemas.EventResetRequested, "timestamp": time.Now().UTC(),
		"data": map[string]any{"account": names[n%stormSources], "reference": fmt.Sprintf("INC%07d", n)}})
	if err != nil {
		return 0, nil, err
	}
	h, err := signature.Sign([]signature.Key{key}, fmt.Sprintf("storm_%d", n), time.Now(), body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, fmt.Sprintf("%s/v1/hooks/storm%d", s.URL(), n%stormSources), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	h.Set(req.Header)
	req.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var out struct {
		Tasks []harness.Accepted `json:"tasks"`
	}
	if answer.StatusCode == http.StatusAccepted {
		err = json.NewDecoder(answer.Body).Decode(&out)
	}
	return answer.StatusCode, out.Tasks, err
}
