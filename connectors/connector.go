package connectors

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Connector acts on one IAM system. What holds for every method:
//
// Concurrency. All methods may be called at the same time from many goroutines, for the same account too.
//
// Time. The context bounds the call: a method returns soon after the context ends, even when the system hangs. What runs
// on afterwards must not change anything.
//
// Errors. Every error is a *schemas.Failure with a code of the closed list, never ok or already_in_force. Its detail says
// to a person what happened, where, and what to do next. No error, receipt, proof or class holds a password, a token or
// another secret, whether it came from the configuration or was made inside.
//
//   - unavailable: the system cannot be reached, says that it is down, or answers nonsense; nothing was changed.
//   - timed_out: there was no answer, so the effect is not known. A change whose answer was lost is timed_out even when it
//     was the connection that broke, and not the clock that ran out.
//   - bad_credentials: the system refuses the connector's own log-in.
//   - permission_missing: the system refuses the operation; the detail names what to grant, and where.
//   - rate_limited: the system asks for a pause; RetryAfter tells how long, if the system did.
//   - unexpected: everything that the connector does not understand.
//
// Repetition. A method does what it says once and never tries a call again by itself; another server of the same system
// may be tried as long as nothing was sent that changes anything. Three exceptions, in each of which the system has said
// that it did nothing: a generated password that it rejects may be followed by another, three at most; a token that it takes
// no more by a new one, once; and a change that was refused because the account is not as it was read may be made
// anew after another reading, unless what changed may have been an earlier reset.
//
// Lateness. A change that was given up may be carried out later, by a server that was slow. Where the system knows
// conditions (an assertion, an ETag), every change is bound to the state that was read right before it, so that of two
// attempts one at most has an effect. An account that was changed in between is unavailable, never conflict: the attempt is
// verified and made again.
//
// Identity. Everything after Resolve acts on Identity.ID, which never changes in the system. A name may have passed to
// somebody else since.
//
// Origin. An account whose password lives elsewhere is refused by Reset too, whoever calls it: reset_at_source for synced,
// not_applicable for federated and guest accounts, protected for resetd's own. Revoke works for synced and federated ones
// where the system can do it.
type Connector interface {
	// Probe finds out whether the system answers and what the connector may do there. It never changes anything. A missing
	// right is no error: it is listed in Capabilities.Missing together with what to grant;
	// what would keep a reset from being enforced in Capabilities.Unenforced, with what to mend.
	Probe(ctx context.Context) (schemas.Capabilities, error)

	// Resolve finds the one account that is meant, by the account's type alone and without guessing across types. The errors
	// are account_not_found, also for a type that the system has no notion of, and account_ambiguous for more than one.
	Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error)

	// Classify reads what the account is and the system's evidence about its password. Two readings with no change between
	// them give the same evidence.
	Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error)

	// Reset forces a new password. In the mode randomize it sets a random password that nobody ever sees (24 characters or
	// more unless the system's policy allows fewer; crypto/rand) and demands its change; in expire it demands the change
	// only. Twice is as once: the account must change its password, and with randomize no earlier password works.
	//
	// It returns ok, or already_in_force if the demand was there and nothing had to be done. Errors beside the common ones:
	// unsupported for a mode that the system does not have, password_rejected after three passwords, conflict when the
	// account's state does not allow it, unenforced when the system does not hold the account to it. Only timed_out and
	// unenforced may leave a changed account behind, and the detail of unenforced tells whether it did.
	Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error)

	// Revoke ends the account's sessions. A system that cannot do that answers with the receipt unsupported and no error,
	// and the detail says what goes on: it is a property of the system, not a fault.
	Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error)

	// Verify reads whether the account must change its password now. The state is enforced when it must, and as far as the
	// system's record can tell this is newer than the evidence given; not_enforced when it need not, or when nothing has
	// happened since; unknown when it cannot be told. Changed says whether the password was set since. So after randomize a
	// caller wants enforced and Changed, after expire enforced alone.
	Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error)

	// Close lets go of connections. No other call follows it. Closing twice is no error.
	Close() error
}
