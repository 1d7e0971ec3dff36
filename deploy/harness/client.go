package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// Client sends to one site. It is safe for concurrent use.
type Client struct {
	site *Site
	http *http.Client
}

// Client makes a client that keeps up to conns connections.
func (s *Site) Client(conns int) *Client {
	return &Client{site: s, http: &http.Client{Timeout: 65 * time.Second,
		Transport: &http.Transport{TLSClientConfig: s.TLS, MaxIdleConns: conns, MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns}}}
}

// Body makes a native webhook body that asks for accounts; one is sent as a single request, more as a batch.
func Body(accounts ...string) ([]byte, error) {
	items := make([]schemas.Request, len(accounts))
	for i, a := range accounts {
		account, err := schemas.ParseAccount(a)
		if err != nil {
			return nil, err
		}
		items[i] = schemas.Request{Account: account, Description: "Credential phish, case 4711", Reference: "INC0012345"}
	}
	return schemas.Encode(schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: time.Now().UTC(),
		Data: schemas.Requests{Batch: len(items) > 1, Items: items}})
}

// Accepted is one line of the answer to a webhook.
type Accepted struct {
	ID        string         `json:"id"`
	Status    schemas.Status `json:"status"`
	StatusURL string         `json:"status_url"`
}

// Send signs and posts a webhook. It gives the HTTP status; tasks are set for 202.
func (c *Client) Send(ctx context.Context, id string, body []byte) (status int, tasks []Accepted, err error) {
	h, err := signature.Sign([]signature.Key{c.site.Key}, id, time.Now(), body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.site.URL()+"/v1/hooks/"+c.site.Source, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	h.Set(req.Header)
	req.Header.Set("Content-Type", "application/json")
	var out struct {
		Tasks []Accepted `json:"tasks"`
	}
	status, err = c.do(req, http.StatusAccepted, &out)
	return status, out.Tasks, err
}

// Get reads an API path as the operator. It gives the HTTP status; into is filled for 200.
func (c *Client) Get(ctx context.Context, path string, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.site.URL()+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.site.OpsToken)
	return c.do(req, http.StatusOK, into)
}

func (c *Client) do(req *http.Request, want int, into any) (int, error) {
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != want {
		return answer.StatusCode, nil
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = text
		return answer.StatusCode, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return answer.StatusCode, fmt.Errorf("read the answer to %s: %w", req.URL.Path, err)
	}
	return answer.StatusCode, nil
}

// Open counts the tasks that are not final, by asking the history for one page of each open status.
func (c *Client) Open(ctx context.Context) (int, error) {
	n := 0
	for _, status := range []schemas.Status{schemas.StatusQueued, schemas.StatusInProgress, schemas.StatusPendingApproval} {
		var page struct {
			Tasks []json.RawMessage `json:"tasks"`
		}
		code, err := c.Get(ctx, "/v1/tasks?limit=500&status="+string(status), &page)
		if err != nil || code != http.StatusOK {
			return 0, fmt.Errorf("ask for %s tasks: HTTP %d: %w", status, code, err)
		}
		n += len(page.Tasks)
	}
	return n, nil
}
