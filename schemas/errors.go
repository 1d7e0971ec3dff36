package schemas

import "errors"

// The errors that cross the borders between the wings. The HTTP face turns each into one problem.
var (
	// ErrOverloaded: the ledger cannot take more now, or does not answer. Nothing was accepted; try again later.
	ErrOverloaded = errors.New("the ledger is full or does not answer")
	// ErrKeyReused: the idempotency key was used before with another body.
	ErrKeyReused = errors.New("this idempotency key was used before with another body")
	// ErrReplayed: the very same body was delivered before, longer ago than a sender repeats itself.
	ErrReplayed = errors.New("this delivery was seen before, longer ago than a sender repeats itself")
	// ErrNotFound: no such task, callback, system or source.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: the source may not ask for this.
	ErrForbidden = errors.New("not allowed for this source")
	// ErrState: the state of the thing does not allow the action.
	ErrState = errors.New("the present state does not allow this")
	// ErrCursor: the cursor is not one that we made.
	ErrCursor = errors.New("this cursor is not valid")
)
