package handlers

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Tasks is what the HTTP face needs of the jobs. Errors are those of schemas (ErrOverloaded, ErrKeyReused, ErrNotFound,
// ErrForbidden, ErrState, ErrCursor) or a *schemas.Problem; anything else becomes a 500 that tells nothing.
type Tasks interface {
	// Submit records a submission durably before it returns. Its problems point into the list of requests (/3/systems/0).
	Submit(ctx context.Context, s schemas.Submission) (tasks []schemas.Task, replay bool, err error)
	Cancel(ctx context.Context, id, actor string) (schemas.Task, error)
	Retry(ctx context.Context, id, actor string) (schemas.Task, error)
}

// History is what can be looked up.
type History interface {
	Task(ctx context.Context, id string) (schemas.Task, error)
	// Wait gives the task once it is final, or as it stands when ctx ends.
	Wait(ctx context.Context, id string) (schemas.Task, error)
	Events(ctx context.Context, id string) ([]schemas.Event, error)
	Search(ctx context.Context, q schemas.TaskQuery) (schemas.TaskPage, error)
}

// Systems is the IAM systems, as operators see them. An error that wraps schemas.ErrNotFound: there is no such system.
type Systems interface {
	Systems(ctx context.Context) ([]schemas.System, error)
	// System gives one system with the history of its permission.
	System(ctx context.Context, name string) (schemas.System, error)
	// Check asks the system now, without changing anything.
	Check(ctx context.Context, name string) (schemas.Check, error)
}

// Permissions is what people decide about the policy enforcement permission of a system.
type Permissions interface {
	// Permit records a decision durably before it returns, and gives the system as it is then.
	Permit(ctx context.Context, system string, d schemas.Decision, actor, reason string) (schemas.System, error)
}

// Accounts looks at an account on every system at once, without changing anything.
type Accounts interface {
	Look(ctx context.Context, a schemas.Account) (schemas.AccountReport, error)
}

// Callbacks is the attempt log and the dead letters.
type Callbacks interface {
	Callbacks(ctx context.Context, q schemas.CallbackQuery) (schemas.CallbackPage, error)
	Redeliver(ctx context.Context, id string) (schemas.Callback, error)
}
