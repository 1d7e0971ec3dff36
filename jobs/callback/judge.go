package callback

import (
	"fmt"
	"net/http"

	"github.com/resetd/resetd/schemas"
)

// hints say what to look at for the answers that a receiver gives most often.
var hints = map[int]string{
	http.StatusUnauthorized:          "compare the callback key of both sides, and their clocks",
	http.StatusForbidden:             "let the receiver accept this sender; compare the callback key of both sides",
	http.StatusNotFound:              "correct the path of the callback URL",
	http.StatusMethodNotAllowed:      "the URL must take POST; correct its path",
	http.StatusGone:                  "the receiver wants no more of it",
	http.StatusRequestEntityTooLarge: "let the receiver take larger bodies",
	http.StatusTooManyRequests:       "the receiver asks to slow down",
}

// toolHints say the same for the receiver of a template, where its preset knows nothing better.
var toolHints = map[int]string{
	http.StatusBadRequest:            "the receiver does not take the request; compare the params and the template with its API",
	http.StatusUnauthorized:          "the receiver does not accept the log-in; compare callback.auth, whose secret may have expired",
	http.StatusForbidden:             "the log-in may not do this; give it the right at the receiver",
	http.StatusNotFound:              "what the reference names is not there, or the log-in may not see it; else correct callback.url",
	http.StatusMethodNotAllowed:      "correct callback.url, or the template",
	http.StatusGone:                  "the receiver says that it is gone for good",
	http.StatusRequestEntityTooLarge: "the text is too long for the receiver; lower template.limit",
	http.StatusTooManyRequests:       "the receiver asks to slow down",
}

// judge turns the status of an answer into an attempt: 2xx is delivered, nothing else (Standard Webhooks 1.0.0).
func judge(status int, t target, hints map[int]string) schemas.Attempt {
	a := schemas.Attempt{HTTPStatus: status}
	said := saying(status, t)
	switch {
	case status >= 200 && status < 300:
		return a
	case status >= 300 && status < 400:
		a.Error, a.Detail = ClassRedirect, said+"; redirects are not followed, ask for the URL that it leads to"
		return a
	}
	hint := hints[status]
	switch {
	case hint != "":
	case status >= 500:
		hint = "the receiver is in trouble; its own log says more"
	default:
		hint = "the receiver does not take the message; its own log says more"
	}
	a.Error, a.Detail = ClassStatus, said+"; "+hint
	return a
}

// saying tells the status of an answer in words.
func saying(status int, t target) string {
	said := fmt.Sprintf("%s answered %d", t.place(), status)
	if text := http.StatusText(status); text != "" {
		said += " " + text
	}
	return said
}
