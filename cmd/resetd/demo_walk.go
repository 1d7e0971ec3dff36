package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/resetd/resetd/cmd/resetd/demo"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// postWebhook sends what a SOAR tool would send, over HTTP, and gives the id of the task.
func postWebhook(ctx context.Context, site *demo.Site, account string) (string, error) {
	who, err := schemas.ParseAccount(account)
	if err != nil {
		return "", err
	}
	body, err := schemas.Encode(schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: time.Now().UTC().Truncate(time.Second),
		Data: schemas.Requests{Items: []schemas.Request{{Account: who, Description: "Credential phish, case 4711", Reference: "INC0012345"}}}})
	if err != nil {
		return "", err
	}
	h, err := signature.Sign([]signature.Key{site.Key}, "msg_"+uuid.NewString(), time.Now(), body)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+site.Listen+"/v1/hooks/"+demo.Source, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	h.Set(req.Header)
	req.Header.Set("Content-Type", "application/json")
	var answer struct {
		Tasks []struct{ ID string }
	}
	if err := exchange(req, http.StatusAccepted, &answer); err != nil {
		return "", err
	}
	if len(answer.Tasks) != 1 {
		return "", fmt.Errorf("the webhook was answered with %d tasks instead of one", len(answer.Tasks))
	}
	return answer.Tasks[0].ID, nil
}

// followTask prints every event and step of a task as it appears, until the task is final.
func followTask(ctx context.Context, out io.Writer, site *demo.Site, id string) (schemas.Task, error) {
	seen := 0
	for {
		var task schemas.Task
		if err := read(ctx, site, "/v1/tasks/"+id, &task); err != nil {
			return task, err
		}
		var history struct{ Events []schemas.Event }
		if err := read(ctx, site, "/v1/tasks/"+id+"/events", &history); err != nil {
			return task, err
		}
		for _, e := range history.Events[min(seen, len(history.Events)):] {
			printEvent(out, e, task.CreatedAt)
		}
		seen = len(history.Events)
		if task.Status.Final() && seen >= task.Version {
			return task, nil
		}
		select {
		case <-ctx.Done():
			return task, fmt.Errorf("task %s is still %s: %w", id, task.Status, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func printEvent(out io.Writer, e schemas.Event, began time.Time) {
	for _, s := range e.Steps {
		fmt.Fprintf(out, "  %6d ms  %-10s %-12s %s\n", s.At.Sub(began).Milliseconds(), s.Name, s.Code, s.Detail)
	}
	fmt.Fprintf(out, "  %6d ms  event: %s %s\n", e.At.Sub(began).Milliseconds(), e.Type, strings.TrimSpace(string(e.Code)+" "+e.Detail))
}

func read(ctx context.Context, site *demo.Site, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+site.Listen+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+site.Token)
	return exchange(req, http.StatusOK, into)
}

func exchange(req *http.Request, want int, into any) error {
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("%s %s was answered with %s: %s", req.Method, req.URL.Path, answer.Status, text)
	}
	return json.Unmarshal(text, into)
}

func indent(body []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "  ", "  "); err != nil {
		return "  " + string(body)
	}
	return "  " + b.String()
}
