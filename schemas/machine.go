package schemas

// EventType names what happened to a task or to one of its enforcements.
type EventType string

// The event types. Accepted opens a task, routed adds an enforcement to it; all others move one enforcement, or every
// enforcement they fit when they name no system.
const (
	EventAccepted      EventType = "accepted"       // the task exists
	EventRouted        EventType = "routed"         // the password lives in another system: an enforcement there is added
	EventApproved      EventType = "approved"       // a person said yes
	EventRejected      EventType = "rejected"       // the rules or a person said no
	EventClaimed       EventType = "claimed"        // a worker took it
	EventIntended      EventType = "intended"       // evidence stored; the reset is sent next
	EventDeferred      EventType = "deferred"       // put back, to be tried later
	EventCoalesced     EventType = "coalesced"      // another task does the same: it waits for the end of that one
	EventSucceeded     EventType = "succeeded"      // enforced and proved
	EventFailed        EventType = "failed"         // will not be tried again by itself
	EventNotFound      EventType = "not_found"      // the system does not know the account
	EventNotApplicable EventType = "not_applicable" // the system does not hold the password
	EventCancelled     EventType = "cancelled"      // withdrawn, or a dry run that ends
	EventRetried       EventType = "retried"        // a person asked for another try
)

// EventTypes lists every event type, in the order of a task's life.
func EventTypes() []EventType {
	return []EventType{EventAccepted, EventRouted, EventApproved, EventRejected, EventClaimed, EventIntended, EventDeferred,
		EventCoalesced, EventSucceeded, EventFailed, EventNotFound, EventNotApplicable, EventCancelled, EventRetried}
}

type edge struct {
	from Status
	on   EventType
}

// The state machine of an enforcement, whole. A pair that is not in the table is refused.
var machine = map[edge]Status{
	{StatusPendingApproval, EventApproved}:  StatusQueued,
	{StatusPendingApproval, EventRejected}:  StatusRejected,
	{StatusPendingApproval, EventCancelled}: StatusCancelled,
	{StatusQueued, EventClaimed}:            StatusInProgress,
	{StatusQueued, EventCancelled}:          StatusCancelled,
	{StatusQueued, EventRejected}:           StatusRejected,
	{StatusQueued, EventFailed}:             StatusUnsuccessful,
	{StatusQueued, EventDeferred}:           StatusQueued, // its wake-up was lost, or it waits for another task no more
	{StatusQueued, EventCoalesced}:          StatusQueued,
	{StatusInProgress, EventClaimed}:        StatusInProgress, // taken over from a dead worker
	{StatusInProgress, EventIntended}:       StatusInProgress,
	{StatusInProgress, EventDeferred}:       StatusQueued,
	{StatusInProgress, EventCoalesced}:      StatusQueued, // found out once the account was known
	{StatusInProgress, EventSucceeded}:      StatusSuccessful,
	{StatusInProgress, EventFailed}:         StatusUnsuccessful,
	{StatusInProgress, EventNotFound}:       StatusNotFound,
	{StatusInProgress, EventNotApplicable}:  StatusNotApplicable,
	{StatusInProgress, EventCancelled}:      StatusCancelled,
	{StatusUnsuccessful, EventRetried}:      StatusQueued,
	{StatusNotFound, EventRetried}:          StatusQueued,
}

// Next gives the status of an enforcement after an event, and whether the event is allowed there.
func Next(from Status, on EventType) (Status, bool) {
	to, ok := machine[edge{from, on}]
	return to, ok
}
