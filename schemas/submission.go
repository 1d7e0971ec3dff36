package schemas

// Submission is what one delivery asks for, after it was verified, mapped and validated.
type Submission struct {
	Source string
	// Key is the idempotency key of the delivery. Its first request takes the key itself, the others Key#1, Key#2 …
	Key string
	// BodyHash is the SHA-256 of the raw body: the same key with another hash is ErrKeyReused.
	BodyHash [32]byte
	// Actor is who asks, for the history: source:<name> or token:<name>.
	Actor    string
	Requests []Request
}
