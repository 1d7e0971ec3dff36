package schemas

import "time"

// Submission is what one delivery asks for, after it was verified, mapped and validated.
type Submission struct {
	Source string
	// Key is the idempotency key of the delivery. Its first request takes the key itself, the others Key#1, Key#2 … Empty
	// means that the sender's proof covers no id: the delivery is then known by its body alone, as Repeat says.
	Key string
	// BodyHash is the SHA-256 of the raw body: the same key with another hash is ErrKeyReused.
	BodyHash [32]byte
	// Repeat says what a body that was seen before means. It counts only without a Key.
	Repeat Repeat
	// Actor is who asks, for the history: source:<name> or token:<name>.
	Actor    string
	Requests []Request
}

// Repeat says what it means that a source delivers the very same body again under no id: the sender repeats itself, or
// asks anew in the same words, or somebody else sends what he has seen.
type Repeat struct {
	// Within is how long after the first delivery it is the sender who repeats himself: he is told of the first tasks. Zero
	// or less is DefaultRepeat.
	Within time.Duration
	// Refuse makes it ErrReplayed after that, for as long as the ledger remembers the first. Otherwise it is a new delivery.
	Refuse bool
}

// DefaultRepeat is how long a sender may repeat himself, unless the source says otherwise: none of those that are known to
// sign no id goes on for longer.
const DefaultRepeat = 24 * time.Hour

// Replays tells whether a body that comes at a time, and came first at another, is the sender's own repetition.
func (r Repeat) Replays(first, now time.Time) bool {
	within := r.Within
	if within <= 0 {
		within = DefaultRepeat
	}
	return now.Sub(first) < within
}
