package jobs

import (
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// A system whose record may lag behind a change is asked again for lagTimes as long as a change may be under way there,
// lagLooks times at most.
const (
	lagTimes = 4
	lagLooks = 12
)

// madeBefore tells whether an earlier attempt has recorded that the system accepted the reset, after this intent. Then
// there is no doubt, and only what follows the reset is left to do.
func (r *run) madeBefore() bool {
	r.reset = r.done(schemas.StepReset)
	return r.reset
}

// done tells whether an earlier attempt did a step after the present intent was recorded, and left nothing to do in it.
func (r *run) done(name schemas.StepName) bool {
	for _, s := range r.n.Steps {
		if s.Name == name && !r.n.IntentAt.IsZero() && !s.At.Before(r.n.IntentAt) {
			return s.Code.OK() || name == schemas.StepRevoke && s.Code == schemas.CodeUnsupported
		}
	}
	return false
}

// mayShowLater tells whether the system's record may still be catching up with the reset that it has accepted.
func (r *run) mayShowLater() bool {
	lag := r.svc.Rules[r.n.System].Settle
	return lag > 0 && r.svc.Now().Before(r.n.IntentAt.Add(lagTimes*lag))
}

// lookAgain puts the verification off. It is no other attempt: nothing is sent again.
func (r *run) lookAgain(proof schemas.Proof) schemas.Event {
	lag := r.svc.Rules[r.n.System].Settle
	return schemas.Event{Type: schemas.EventDeferred, Waited: true, DueAt: r.svc.Now().Add(lagTimes * lag / lagLooks),
		Detail: fmt.Sprintf("the system accepted the reset, but its record does not show that yet (%s); it is verified again for %s", proof.Detail, lagTimes*lag)}
}
