package schemas

import "slices"

// Status is where a task or an enforcement stands.
type Status string

// The statuses. A task takes the first eight; an enforcement takes all but partially_successful.
const (
	StatusQueued              Status = "queued"               // accepted, waits for a worker
	StatusPendingApproval     Status = "pending_approval"     // waits for a person's decision
	StatusInProgress          Status = "in_progress"          // a worker holds it
	StatusSuccessful          Status = "successful"           // enforced and proved
	StatusPartiallySuccessful Status = "partially_successful" // enforced on some systems, failed on others
	StatusUnsuccessful        Status = "unsuccessful"         // enforced nowhere
	StatusRejected            Status = "rejected"             // refused by the rules or by a person
	StatusCancelled           Status = "cancelled"            // withdrawn before anything was changed
	StatusNotFound            Status = "not_found"            // the system does not know the account
	StatusNotApplicable       Status = "not_applicable"       // the system does not hold the account's password
)

// TaskStatuses lists what a task's status can be, in the order of its life.
func TaskStatuses() []Status {
	return []Status{StatusQueued, StatusPendingApproval, StatusInProgress, StatusSuccessful,
		StatusPartiallySuccessful, StatusUnsuccessful, StatusRejected, StatusCancelled}
}

// EnforcementStatuses lists what an enforcement's status can be, in the order of its life.
func EnforcementStatuses() []Status {
	return []Status{StatusQueued, StatusPendingApproval, StatusInProgress, StatusSuccessful,
		StatusUnsuccessful, StatusRejected, StatusCancelled, StatusNotFound, StatusNotApplicable}
}

// Final tells whether nothing more will happen by itself.
func (s Status) Final() bool {
	return !slices.Contains([]Status{StatusQueued, StatusPendingApproval, StatusInProgress, ""}, s)
}
