package handlers_test

import (
	"time"

	"github.com/resetd/resetd/schemas"
)

// The rich values have something in every field, so that a comparison with openapi.yaml misses none.

func richTask() schemas.Task {
	at := clock
	evidence := schemas.Evidence{PasswordChangedAt: at.Add(-time.Hour), MustChange: true, Marker: "entryCSN 20261122"}
	return schemas.Task{
		ID: "0193b1f2-7c1e-7d4a-9c55-0b6f6f4e2a10", Source: "soar", IdempotencyKey: "msg_1#1", Request: richRequest(),
		Callback: &schemas.CallbackPlan{URL: "https://soar.example.com/hooks/resetd", Events: []string{"final"}},
		Status:   schemas.StatusSuccessful, Code: schemas.CodeOK, Detail: "done on one system",
		Enforcements: []schemas.Enforcement{{
			ID: "0193b1f2-7c1e-7d4a-9c55-0b6f6f4e2a10.0", System: "corp-ldap", Status: schemas.StatusSuccessful, Code: schemas.CodeOK,
			Detail: "must change at the next log-in", Generation: 2, Attempts: 1,
			Steps:    []schemas.Step{{Name: schemas.StepReset, Code: schemas.CodeOK, Detail: "one modify", At: at, TookMS: 12}},
			Identity: &schemas.Identity{ID: "5d0ee6c4-1111-2222-3333-444455556666", Name: "uid=jdoe,ou=people,dc=example,dc=com"},
			Intent:   &evidence, IntentAt: at, NotBefore: at, StartedAt: at, FinishedAt: at,
		}},
		Version: 5, CreatedAt: at, UpdatedAt: at, FinishedAt: at,
	}
}

func richRequest() schemas.Request {
	yes := true
	return schemas.Request{
		Account: schemas.Account{Type: schemas.AccountAddress, Value: "jdoe@example.com"}, Systems: []string{"corp-ldap"},
		Action: schemas.ActionForcePasswordReset, Mode: schemas.ModeRandomize, RevokeSessions: &yes,
		Description: "Credential phish\ncase 4711", Reference: "INC0012345",
		Callback: &schemas.CallbackRequest{URL: "https://soar.example.com/hooks/resetd", Events: []string{"final"}},
		DryRun:   true, OccurredAt: clock,
	}
}

func richEvents() []schemas.Event {
	return []schemas.Event{
		{TaskID: "known", Seq: 1, At: clock, Type: schemas.EventAccepted, Actor: "source:soar", Accepted: &schemas.Accepted{
			Source: "soar", IdempotencyKey: "msg_1", Request: richRequest(), Callback: richTask().Callback,
			Systems: []string{"corp-ldap"}, Status: schemas.StatusQueued,
		}},
		{TaskID: "known", Seq: 2, At: clock, Type: schemas.EventDeferred, Actor: "worker:a", System: "corp-ldap", Generation: 2,
			Code: schemas.CodeRateLimited, Detail: "asked to wait", Steps: richTask().Enforcements[0].Steps,
			Identity: richTask().Enforcements[0].Identity, Intent: richTask().Enforcements[0].Intent, DueAt: clock, Waited: true},
	}
}

func richCallback() schemas.Callback {
	return schemas.Callback{
		ID: "known", TaskID: "0193b1f2-7c1e-7d4a-9c55-0b6f6f4e2a10", Source: "soar", URL: "https://soar.example.com/hooks/resetd",
		Status: schemas.StatusSuccessful, Version: 5, State: schemas.CallbackPending, Attempts: 1, Generation: 2,
		CreatedAt: clock, DueAt: clock,
		Log: []schemas.Attempt{{N: 1, At: clock, TookMS: 80, HTTPStatus: 503, Error: "status", Detail: "the receiver said 503"}},
	}
}
