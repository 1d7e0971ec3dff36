package handlers

import (
	"net/http"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// taken answers a delivery in the words that its sender wants: by default 202 with the tasks that came of it.
func (f *Face) taken(c *call, src *source.Source, tasks []schemas.Task, ignored string) error {
	status := src.Respond.Status
	if status == 0 {
		status = http.StatusAccepted
	}
	switch body := src.Respond.Body; {
	case body == "empty" || status == http.StatusNoContent:
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return nil
	case body == "message":
		text := "resetd has recorded nothing: " + ignored
		switch {
		case len(tasks) > 0:
			text = "resetd has recorded it: " + f.status + tasks[0].ID
		case ignored == "":
			text = "resetd has recorded nothing, because nothing was asked for"
		}
		return c.answer(status, map[string]string{"type": "message", "text": text})
	case ignored != "":
		return c.answer(status, map[string]any{"tasks": []string{}, "ignored": ignored})
	}
	return f.accepted(c, status, tasks)
}

// reply sends the answer of a handshake.
func (c *call) reply(r source.Reply) {
	if len(r.Body) == 0 {
		c.Status(r.Status)
		c.Writer.WriteHeaderNow()
		return
	}
	c.write(r.Status, []string{r.Type}, r.Body)
}

// forSender keeps to the statuses that senders understand. Some take 409 for a conflict to be solved by sending other
// data, 410 for a wish never to hear from them again, 408 and 425 for a fault that passes, and follow a redirect without the
// body.
func forSender(p *schemas.Problem) *schemas.Problem {
	switch s := p.Status; {
	case s == http.StatusConflict, s == http.StatusGone, s == http.StatusTooEarly, s < 400:
	default:
		return p
	}
	moved := *p
	moved.Status = http.StatusUnprocessableEntity
	return &moved
}

// setError is how a transmitter of security event tokens hears of an error (RFC 8935 §2.3).
type setError struct {
	Err         string `json:"err"`
	Description string `json:"description"`
}

// transmits tells whether the delivery comes from a transmitter of security event tokens.
func (c *call) transmits() bool { return c.src != nil && c.src.Transmits() }

// tellTransmitter answers a problem in the words of RFC 8935: 400, with a code for what is wrong with the token.
func (c *call) tellTransmitter(p schemas.Problem) {
	code := c.set
	switch {
	case code != "":
	case p.Status == http.StatusForbidden:
		code = "access_denied"
	default:
		code = "invalid_request"
	}
	c.Header("Content-Language", "en") // which the RFC demands
	text := p.Title + ": " + p.Detail
	for _, e := range p.Errors {
		text += " " + e.Pointer + " " + e.Detail + "."
	}
	if c.answer(http.StatusBadRequest, setError{code, text}) != nil {
		c.Status(http.StatusBadRequest)
	}
}
