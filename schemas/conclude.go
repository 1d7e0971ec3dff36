package schemas

import "time"

// conclude derives the task's own status, code and detail from its enforcements (design §1): successful when at least
// one succeeded and none failed, partially_successful when some succeeded and some failed, unsuccessful when none
// succeeded. A system that does not know the account, or does not hold its password, neither succeeds nor fails.
func (t *Task) conclude(e Event) {
	count := map[Status]int{}
	for _, n := range t.Enforcements {
		count[n.Status]++
	}
	total := len(t.Enforcements)
	switch {
	case count[StatusInProgress] > 0:
		t.Status = StatusInProgress
	case count[StatusPendingApproval] > 0:
		t.Status = StatusPendingApproval
	case count[StatusQueued] == total:
		t.Status = StatusQueued
	case count[StatusQueued] > 0:
		t.Status = StatusInProgress
	case count[StatusRejected] == total:
		t.Status = StatusRejected
	case count[StatusCancelled] == total:
		t.Status = StatusCancelled
	case count[StatusSuccessful] == 0:
		t.Status = StatusUnsuccessful
	case count[StatusUnsuccessful]+count[StatusCancelled]+count[StatusRejected] > 0:
		t.Status = StatusPartiallySuccessful
	default:
		t.Status = StatusSuccessful
	}
	t.Code, t.Detail, t.FinishedAt = "", "", time.Time{}
	if !t.Status.Final() {
		return
	}
	t.FinishedAt = e.At
	if t.Status == StatusSuccessful { // not_found and not_applicable beside a success say nothing of the task
		t.Code = CodeAlreadyInForce
		for _, n := range t.Enforcements {
			if n.Status == StatusSuccessful && n.Code != CodeAlreadyInForce {
				t.Code = CodeOK
			}
		}
		return
	}
	var speaker *Enforcement
	for i := range t.Enforcements {
		n := &t.Enforcements[i]
		if n.Status != StatusSuccessful && (speaker == nil || worse(speaker.Code, n.Code) != speaker.Code) {
			speaker = n
		}
	}
	t.Code, t.Detail = speaker.Code, speaker.System
	if speaker.Detail != "" {
		t.Detail += ": " + speaker.Detail
	}
}
