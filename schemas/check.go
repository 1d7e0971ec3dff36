package schemas

import "time"

// Topic is what a finding of a check is about.
type Topic string

// The topics, in the order in which a check comes to them: what fails keeps those behind it from being looked at.
const (
	TopicConfiguration Topic = "configuration" // the settings could be read
	TopicReachability  Topic = "reachability"  // the system answers
	TopicTLS           Topic = "tls"           // the connection is protected, by a certificate that will hold
	TopicCredentials   Topic = "credentials"   // the system takes our log-in
	TopicRights        Topic = "rights"        // the operator and the vendor let us do what a reset needs
	TopicPolicy        Topic = "policy"        // a reset would be enforced, and nothing is set up otherwise than it should be
	TopicClock         Topic = "clock"         // the system's clock and ours agree
	TopicRateLimit     Topic = "rate_limit"    // how many calls the system takes
)

// Topics lists every topic, in their order.
func Topics() []Topic {
	return []Topic{TopicConfiguration, TopicReachability, TopicTLS, TopicCredentials, TopicRights, TopicPolicy, TopicClock, TopicRateLimit}
}

// FindingState says how grave a finding is.
type FindingState string

// The states of a finding. Unknown is no fault: it was not looked at, or cannot be told.
const (
	FindingOK      FindingState = "ok"
	FindingUnknown FindingState = "unknown"
	FindingWarn    FindingState = "warn" // works, but should not be so
	FindingFail    FindingState = "fail" // keeps a reset from working
)

// FindingStates lists every state, the mildest first.
func FindingStates() []FindingState {
	return []FindingState{FindingOK, FindingUnknown, FindingWarn, FindingFail}
}

// Finding is one row of a check. A topic has at least one; several where several things are to be done.
type Finding struct {
	Topic  Topic        `json:"topic"`
	State  FindingState `json:"state"`
	Detail string       `json:"detail"` // what was found, and what to do
}

// Check is what a check of one system found. State is fail if any finding is, else warn if any is, else ok.
type Check struct {
	System   string       `json:"system"`
	At       time.Time    `json:"at"`
	TookMS   int64        `json:"took_ms"`
	State    FindingState `json:"state"`
	Findings []Finding    `json:"findings"`
}

// Verdict sums findings up: fail, warn or ok. What is unknown does not count.
func Verdict(findings []Finding) FindingState {
	out := FindingOK
	for _, f := range findings {
		switch {
		case f.State == FindingFail:
			return FindingFail
		case f.State == FindingWarn:
			out = FindingWarn
		}
	}
	return out
}
