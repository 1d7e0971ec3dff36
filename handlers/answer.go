package handlers

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/schemas"
)

var (
	jsonType    = []string{"application/json"}
	problemType = []string{schemas.ProblemContentType}
)

// write sends an answer whole. A client that does not take it is its own concern.
func (c *call) write(status int, mediaType []string, body []byte) {
	c.Writer.Header()["Content-Type"] = mediaType
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body)
}

// answer sends a value as JSON.
func (c *call) answer(status int, v any) error {
	body, err := schemas.Encode(v)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	c.write(status, jsonType, body)
	return nil
}

// accepted sends {"tasks":[{"id","status","status_url"}]}. It is written by hand because every delivery ends here.
func (f *Face) accepted(c *call, status int, tasks []schemas.Task) error {
	out := append(c.out[:0], `{"tasks":[`...)
	var err error
	for i := range tasks {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"id":`...)
		if out, err = jsontext.AppendQuote(out, tasks[i].ID); err != nil {
			return fmt.Errorf("write a task's id: %w", err)
		}
		out = append(out, `,"status":`...)
		if out, err = jsontext.AppendQuote(out, tasks[i].Status); err != nil {
			return fmt.Errorf("write a task's status: %w", err)
		}
		out = append(out, `,"status_url":`...)
		if out, err = jsontext.AppendQuote(out, f.status+tasks[i].ID); err != nil {
			return fmt.Errorf("write a task's URL: %w", err)
		}
		out = append(out, '}')
	}
	c.out = append(out, ']', '}')
	c.write(status, jsonType, c.out)
	return nil
}
