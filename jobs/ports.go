package jobs

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Ledger is the durable record: the only truth. Every method is safe for concurrent use. A method that writes returns
// only after its transaction is durable; schemas.ErrOverloaded means that nothing was promised and may be tried again.
type Ledger interface {
	// Create records all tasks of a delivery in one transaction, or none: each with its events, its projection, its work and
	// the callbacks that are due at once. When (Source, Key) is known already it writes nothing and gives the first tasks as
	// they stand now, with replay set; if the body hash differs it gives schemas.ErrKeyReused. A delivery without a Key is
	// known by (Source, BodyHash): Repeat says whether that is a replay, schemas.ErrReplayed, or a new delivery.
	Create(ctx context.Context, d NewDelivery) (tasks []schemas.Task, replay bool, err error)
	// Transition loads a task, asks decide which events follow, folds and records them, all in one transaction. decide
	// may run more than once, must not block, and gives TaskID, At, Type, Actor and what the type needs; Seq is set by
	// the ledger. An error from decide, or an event that the state machine refuses, changes nothing and is returned.
	// No events is no change. It gives the task afterwards, and schemas.ErrNotFound for an unknown id.
	Transition(ctx context.Context, taskID string, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error)
	// TransitionDue does the same for a task one of whose works is to be claimed: it gives schemas.ErrState, and asks
	// nobody, unless the work is still there in its generation and due at now. So a claim that another process has
	// renewed in between stands.
	TransitionDue(ctx context.Context, w Work, now time.Time, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error)
	// Route is a Transition whose events may add an enforcement on that system to the task as it is given (its source and
	// systems; the rest of it is not looked at). schemas.ErrState means that it acts on others by now.
	Route(ctx context.Context, t schemas.Task, system string, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error)
	// Intend is a Transition of a task that is about to change what a subject stands for. decide is also given the task that
	// recorded an intended event under the subject last; nil if there is none, or if it is this one. An intended event among
	// those that decide gives makes this task the last. Whoever intends the same, also in another process, does so before or
	// after it, never at the same time.
	Intend(ctx context.Context, taskID string, s Subject, decide func(t schemas.Task, last *schemas.Task) ([]schemas.Event, error)) (schemas.Task, error)
	// Followed lists up to limit ids of enforcements that those of other tasks wait for, in their order, from the first
	// behind after.
	Followed(ctx context.Context, after string, limit int) ([]string, error)
	// Renew moves the due time of claims whose generation is still the one given, and tells which are lost.
	Renew(ctx context.Context, claims []Work, until time.Time) (lost []Work, err error)

	Task(ctx context.Context, id string) (schemas.Task, error)
	Events(ctx context.Context, taskID string) ([]schemas.Event, error)
	Search(ctx context.Context, q schemas.TaskQuery) (schemas.TaskPage, error)

	// Due lists up to limit works of a queue that are due at now: first those that were taken before, whose worker died or
	// which wait for another try, then those that nobody has touched; both by (DueAt, ID).
	Due(ctx context.Context, queue string, now time.Time, limit int) ([]Work, error)
	// Backlog counts the work that is not finished, by queue.
	Backlog(ctx context.Context) (map[string]int, error)

	// ClaimCallback takes a pending callback whose generation is the one given: it raises the generation by one and moves
	// the due time. schemas.ErrState means that somebody else has it, or that it is settled.
	ClaimCallback(ctx context.Context, id string, generation int, until time.Time) (schemas.Callback, error)
	// RecordAttempt appends an attempt to a claimed callback and sets what follows: delivered, dead, or pending with the
	// time of the next attempt. The ledger numbers the attempt. schemas.ErrState as above.
	RecordAttempt(ctx context.Context, id string, generation int, a schemas.Attempt, next schemas.CallbackState, due time.Time) error
	Callback(ctx context.Context, id string) (schemas.Callback, error)
	Callbacks(ctx context.Context, q schemas.CallbackQuery) (schemas.CallbackPage, error)
	// Redeliver makes a delivered or dead callback pending again, due at once, with its schedule begun anew.
	Redeliver(ctx context.Context, id string, at time.Time) (schemas.Callback, error)

	// Purge deletes up to limit final tasks that were created before a time and owe no callback, with all that belongs to
	// them, oldest first. It gives how many.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}

// NewDelivery is what Create records.
type NewDelivery struct {
	Source   string
	Key      string // empty: made from the body and the time
	BodyHash [32]byte
	Repeat   schemas.Repeat  // what a body that was seen before means; only without a Key
	Accepted []schemas.Event // one accepted event a task, each with a task id of its own
	// Then are the events that follow at once, for the task at the same place. There may be fewer of them than tasks.
	Then [][]schemas.Event
}

// Work is one unit that waits for a worker or is held by one: an enforcement, or a callback to deliver. It exists as
// long as the thing is not finished; the row is the outbox.
type Work struct {
	ID         string // enforcement id, or callback id
	TaskID     string
	Queue      string // QueueOf(system), FollowQueue(enforcement), or CallbackQueue
	Generation int
	DueAt      time.Time // when it needs a worker: now, the next attempt, or the end of the lease
}

// CallbackQueue is the queue of all callbacks.
const CallbackQueue = "callback"

// QueueOf names the queue of a system.
func QueueOf(system string) string { return "system-" + system }

// Enforcer is all systems, as the jobs see them. An error carries a schemas.Failure.
type Enforcer interface {
	Resolve(ctx context.Context, system string, a schemas.Account) (schemas.Identity, error)
	Classify(ctx context.Context, system string, id schemas.Identity) (schemas.Class, error)
	// Preflight tells whether the system grants what the request needs: the operator's permission, and the vendor's right.
	// An empty mode asks for the operator's permission alone: no password is to be set.
	Preflight(ctx context.Context, system string, mode schemas.Mode) error
	Reset(ctx context.Context, system string, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error)
	Revoke(ctx context.Context, system string, id schemas.Identity) (schemas.Receipt, error)
	Verify(ctx context.Context, system string, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error)
}

// Queue wakes workers. It may lose everything at any time: the ledger's sweep brings it back.
type Queue interface {
	// Enqueue puts a wake-up for a work's id and generation on its queue. One that is there already is no error.
	Enqueue(ctx context.Context, w Work) error
	// Waiting tells whether the wake-up is on its queue and no worker has taken it yet.
	Waiting(ctx context.Context, w Work) (bool, error)
}

// Poster tells a receiver what became of a task. It never follows redirects and refuses forbidden addresses.
type Poster interface {
	// Post makes one attempt to deliver a callback: it says in the format of the callback's source how the task stands,
	// and proves who says it as that format wants it. What the callback's last attempt delivered is not sent again. It
	// gives the attempt, and how long the receiver asked to wait (zero if it did not).
	Post(ctx context.Context, c schemas.Callback, t schemas.Task) (a schemas.Attempt, retryAfter time.Duration)
}
