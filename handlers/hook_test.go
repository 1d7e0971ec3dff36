package handlers_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

func TestDeliveryIsAcceptedWithTheURLOfItsTask(t *testing.T) {
	f := newFixture(t)
	body := native(`{"account":"jdoe@example.com","reference":"INC0012345"}`)
	var got accepted
	f.deliver("msg_1", body).decode(t, 202, &got)
	if len(got.Tasks) != 1 || got.Tasks[0].ID != "0193-1-0" || got.Tasks[0].Status != "queued" ||
		got.Tasks[0].StatusURL != "https://resetd.example.com/v1/tasks/0193-1-0" {
		t.Fatalf("%+v", got)
	}
	subs := f.tasks.submissions()
	if len(subs) != 1 {
		t.Fatalf("%d submissions", len(subs))
	}
	s := subs[0]
	if s.Source != "soar" || s.Key != "msg_1" || s.Actor != "source:soar" || s.BodyHash != sha256.Sum256([]byte(body)) {
		t.Fatalf("%+v", s)
	}
	if s.Requests[0].Account != (schemas.Account{Type: schemas.AccountAddress, Value: "jdoe@example.com"}) {
		t.Fatalf("%+v", s.Requests[0])
	}
}

func TestReplayGetsTheSameAnswer(t *testing.T) {
	f := newFixture(t)
	body := native(`[{"account":"a"},{"account":"b"}]`)
	first, second := f.deliver("msg_1", body), f.deliver("msg_1", body)
	if first.StatusCode != 202 || second.StatusCode != 202 || first.body != second.body {
		t.Fatalf("%d %s\n%d %s", first.StatusCode, first.body, second.StatusCode, second.body)
	}
	if n := len(f.tasks.submissions()); n != 1 {
		t.Fatalf("%d submissions", n)
	}
}

func TestBatchGetsOneTaskForEachRequestInOrder(t *testing.T) {
	f := newFixture(t)
	var got accepted
	f.deliver("msg_1", native(`[{"account":"a"},{"account":"b"},{"account":"c"}]`)).decode(t, 202, &got)
	if len(got.Tasks) != 3 || got.Tasks[2].ID != "0193-1-2" {
		t.Fatalf("%+v", got)
	}
	if r := f.tasks.submissions()[0].Requests; len(r) != 3 || r[2].Account.Value != "c" {
		t.Fatalf("%+v", r)
	}
}

func TestThousandRequestsAreTaken(t *testing.T) {
	f := newFixture(t)
	var got accepted
	f.deliver("msg_1", native("["+strings.Repeat(`{"account":"a"},`, 999)+`{"account":"a"}]`)).decode(t, 202, &got)
	if len(got.Tasks) != 1000 {
		t.Fatalf("%d tasks", len(got.Tasks))
	}
}

func TestEmptyBatchIsAcceptedAndSubmitsNothing(t *testing.T) {
	f := newFixture(t)
	a := f.deliver("msg_1", native(`[]`))
	if a.StatusCode != 202 || a.body != `{"tasks":[]}` || len(f.tasks.submissions()) != 0 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestBothKeysOfARotationAreAccepted(t *testing.T) {
	f := newFixture(t)
	body := native(`{"account":"a"}`)
	a := f.deliver("msg_1", body, func(r *http.Request) {
		signWith(t, r.Header, soarOldKey, "msg_1", clock, body)
	})
	if a.StatusCode != 202 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestJSONIsTakenWithOrWithoutItsMediaType(t *testing.T) {
	for _, media := range []string{"", "application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		f := newFixture(t)
		a := f.deliver("msg_1", native(`{"account":"a"}`), func(r *http.Request) {
			r.Header.Del("Content-Type")
			if media != "" {
				r.Header.Set("Content-Type", media)
			}
		})
		if a.StatusCode != 202 {
			t.Errorf("%q: %d %s", media, a.StatusCode, a.body)
		}
	}
}

// A problem of the jobs points into the list of requests; the sender knows his body.
func TestPointersOfTheJobsAreTurnedIntoPointersIntoTheBody(t *testing.T) {
	for body, want := range map[string]string{
		native(`{"account":"a","systems":["nowhere"]}`):                        "/data/systems/0",
		native(`[{"account":"a"},{"account":"b","systems":["ok","nowhere"]}]`): "/data/1/systems/1",
	} {
		p := newFixture(t).deliver("msg_1", body).want(t, 422, "unknown_system")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != want {
			t.Errorf("got %+v, want %s", p.Errors, want)
		}
	}
}

func TestErrorsOfTheJobsBecomeStatusesThatSendersUnderstand(t *testing.T) {
	conflict := schemas.NewProblem(409, "odd", "Odd", "Odd.")
	gone := schemas.NewProblem(410, "odd", "Odd", "Odd.")
	moved := schemas.NewProblem(307, "odd", "Odd", "Odd.")
	for _, c := range []struct {
		err    error
		status int
		name   string
	}{
		{schemas.ErrOverloaded, 503, "overloaded"},
		{context.DeadlineExceeded, 503, "overloaded"},
		{schemas.ErrKeyReused, 422, "key_reused"},
		{schemas.ErrForbidden, 403, "forbidden"},
		{schemas.ErrState, 422, "wrong_state"},
		{conflict, 422, "odd"},
		{gone, 422, "odd"},
		{moved, 422, "odd"},
		{errors.New("disk on fire at " + soarKey), 500, "internal"},
	} {
		f := newFixture(t)
		f.fast = true // the jobs do not give all of these for a submission
		f.tasks.fail = c.err
		a := f.deliver("msg_1", native(`{"account":"a"}`))
		a.want(t, c.status, c.name)
		if retry := a.Header.Get("Retry-After"); (c.status == 503) != (retry == "5") {
			t.Errorf("%v: Retry-After %q", c.err, retry)
		}
		if strings.Contains(a.body, "fire") {
			t.Errorf("an unknown error was told: %s", a.body)
		}
	}
}

func TestRetryAfterOfAProblemIsRoundedUp(t *testing.T) {
	f := newFixture(t)
	p := schemas.NewProblem(503, "overloaded", "Overloaded", "Later.")
	p.RetryAfter = 1100 * time.Millisecond
	f.tasks.fail = p
	if got := f.deliver("msg_1", native(`{"account":"a"}`)).Header.Get("Retry-After"); got != "2" {
		t.Fatal(got)
	}
}

func TestAnotherBodyUnderAUsedIDIsRefused(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(`{"account":"a"}`))
	f.deliver("msg_1", native(`{"account":"b"}`)).want(t, 422, "key_reused")
}

func TestClientThatWentAwayIsNotAFailure(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.tasks.then, f.tasks.fail = cancel, context.Canceled
	f.deliver("msg_1", native(`{"account":"a"}`), func(r *http.Request) { *r = *r.WithContext(ctx) })
	if strings.Contains(f.log.String(), `"level":"error"`) || !strings.Contains(f.log.String(), "client_gone") {
		t.Fatal(f.log)
	}
}

// The body's memory serves the next delivery; nothing of a submission may change with it.
func TestSubmissionSharesNoMemoryWithTheBody(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(`{"account":"aaaa","description":"aaaa","systems":["aaaa"]}`))
	for range 20 {
		f.deliver("msg_2", native(`{"account":"bbbb","description":"bbbb","systems":["bbbb"]}`))
	}
	r := f.tasks.submissions()[0].Requests[0]
	if r.Account.Value != "aaaa" || r.Description != "aaaa" || r.Systems[0] != "aaaa" {
		t.Fatalf("%+v", r)
	}
}

// A stuck ledger must give 503 while the server can still answer.
func TestSubmissionHasADeadlineBeforeTheServersOwn(t *testing.T) {
	f := newFixture(t)
	f.deliver("msg_1", native(good))
	if left := time.Until(f.tasks.until); left <= 0 || left > handlers.WriteTimeout/2 {
		t.Fatalf("the deadline is %s away", left)
	}
}
