package handlers_test

import (
	"net/http"
	"testing"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

// FuzzHookBody: whatever a sender signs, the face does not fail, answers with a status that senders understand, and
// submits nothing that is not well formed.
func FuzzHookBody(f *testing.F) {
	for _, c := range []string{good, `[{"account":"a"},{"account":"EXAMPLE\\b","systems":["x"]}]`, `[]`, `null`, `{"account":{"type":"sid","value":"S-1-5-21-1-2-3-4"}}`,
		`{"account":"a","account":"b"}`, `{"account":"\u202e"}`, `{"account":"{5D0EE6C4-1111-2222-3333-444455556666}"}`, `[[[[`, `{"account":"a","systems":["nowhere"]}`,
		`{"account":"a","callback":{"url":"https://a.example/","events":["final"]},"occurred_at":"2026-11-22T07:00:00Z","dry_run":true,"mode":"expire"}`} {
		f.Add([]byte(native(c)))
	}
	f.Add([]byte("{}"))
	f.Add([]byte(""))
	fix := newFixture(f)
	fix.fast = true
	f.Fuzz(func(t *testing.T, body []byte) {
		fix.t = t
		fix.log.Reset()
		fix.tasks.forget()
		a := fix.do(signed(t, "/v1/hooks/soar", "msg_1", string(body)))
		got := fix.tasks.submissions()
		switch a.StatusCode {
		case http.StatusAccepted:
			for _, s := range got {
				wellFormed(t, s)
			}
			return
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			a.problem(t)
		case http.StatusRequestEntityTooLarge:
			if len(body) <= handlers.MaxBody {
				t.Fatalf("%d bytes are too large", len(body))
			}
		default:
			t.Fatalf("%d %s\n%s", a.StatusCode, a.body, fix.log)
		}
		if len(got) != 0 {
			t.Fatal("refused, and submitted")
		}
	})
}

func wellFormed(t *testing.T, s schemas.Submission) {
	if s.Source != "soar" || s.Key != "msg_1" || len(s.Requests) > schemas.MaxRequests {
		t.Fatalf("%d requests of %s under %s", len(s.Requests), s.Source, s.Key)
	}
	for _, r := range s.Requests {
		if err := r.Account.Check(); err != nil {
			t.Fatalf("accepted %+v: %v", r.Account, err)
		}
		if err := schemas.CheckText(r.Reference, 256, false); err != nil {
			t.Fatalf("accepted the reference %q: %v", r.Reference, err)
		}
		for _, name := range r.Systems {
			if !schemas.NameForm.MatchString(name) {
				t.Fatalf("accepted the system %q", name)
			}
		}
	}
}
