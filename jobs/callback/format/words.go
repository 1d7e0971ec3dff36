package format

import (
	"fmt"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// The bounds of what is told of one thing, in characters; the task has all of it.
const (
	maxName   = 200 // an account
	maxDetail = 300 // what happened on a system, or the sender's description
)

// words gives a status as a person says it.
var words = map[schemas.Status]string{
	schemas.StatusQueued:              "queued",
	schemas.StatusPendingApproval:     "waiting for approval",
	schemas.StatusInProgress:          "in progress",
	schemas.StatusSuccessful:          "successful",
	schemas.StatusPartiallySuccessful: "partially successful",
	schemas.StatusUnsuccessful:        "unsuccessful",
	schemas.StatusRejected:            "rejected",
	schemas.StatusCancelled:           "cancelled",
	schemas.StatusNotFound:            "account not found",
	schemas.StatusNotApplicable:       "not applicable",
}

// say gives a status, and the code where it tells more than the status does.
func say(s schemas.Status, c schemas.Code) string {
	word := words[s]
	if word == "" {
		word = line(string(s))
	}
	if c == "" || c == schemas.CodeOK || strings.ReplaceAll(word, " ", "_") == string(c) || s == schemas.StatusNotFound {
		return word
	}
	return word + " (" + line(string(c)) + ")"
}

// summary is the one line that says what became of a task.
func summary(t schemas.Task) string {
	what := "password reset"
	if t.Request.DryRun {
		what = "dry run of a password reset"
	}
	return fmt.Sprintf("resetd: %s of %s: %s", what, clip(line(t.Request.Account.Value), maxName), say(t.Status, t.Code))
}

// details are the lines for a person: the summary, each system's result, and who asked why.
func details(t schemas.Task) []string {
	out := []string{summary(t)}
	if d := line(t.Detail); d != "" && len(t.Enforcements) != 1 { // of one system its own detail says the same
		out = append(out, clip(d, maxDetail))
	}
	for _, n := range t.Enforcements {
		out = append(out, line(n.System)+": "+result(n))
	}
	return append(out, asked(t))
}

// result tells what became of a task on one system.
func result(n schemas.Enforcement) string {
	out := say(n.Status, n.Code)
	if n.CoalescedWith != nil { // what was done, and about sessions, is told there
		out += ", by task " + line(n.CoalescedWith.TaskID) + ", which did it for this one too"
	}
	for _, s := range n.Steps {
		if s.Name == schemas.StepRevoke {
			out += "; " + sessions(s.Code)
		}
	}
	if d := line(n.Detail); d != "" && n.Status != schemas.StatusSuccessful {
		out += ". " + clip(d, maxDetail)
	}
	return out
}

func sessions(c schemas.Code) string {
	switch c {
	case schemas.CodeOK, schemas.CodeAlreadyInForce:
		return "sessions ended"
	case schemas.CodeUnsupported:
		return "sessions cannot be ended there"
	}
	return "sessions not ended (" + line(string(c)) + ")"
}

// asked tells who asked for it, and why. It comes last: the description is the one text of which a stranger may have
// written every word.
func asked(t schemas.Task) string {
	out := "Asked for by " + line(t.Source)
	if r := line(t.Request.Reference); r != "" {
		out += ", reference " + clip(r, maxName)
	}
	if d := line(t.Request.Description); d != "" {
		out += ": " + clip(d, maxDetail)
	}
	return out
}
