// Package conformance is the one test suite that every kind of connector passes. A kind brings a Harness: connectors to a
// real system or to an imitation that is checked against the vendor's specification, accounts in it, an independent way to
// look at them, and the system's faults.
//
//	func TestConformance(t *testing.T) { conformance.Run(t, harness(t)) }
package conformance

import (
	"slices"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// Person is an account of the system under test.
type Person struct {
	Account  schemas.Account // as a sender would name it
	ID       string          // what Resolve must find
	Password string          // what signs in at first
}

// Login is what becomes of an attempt to sign in, asked of the system without the connector.
type Login string

// The outcomes of an attempt to sign in.
const (
	LoginRefused    Login = "refused"
	LoginMustChange Login = "must change" // the password is right, and nothing but a change of it is allowed
	LoginAccepted   Login = "accepted"
)

// Fault gives a connector whose system fails in a certain way, and an account there. The suite closes the connector.
type Fault func(t *testing.T) (connectors.Connector, Person)

// Harness is what a kind brings along. Whatever a system really cannot do or show is left nil and named in Lacks; leaving
// something out without a reason fails the suite.
type Harness struct {
	// Open gives a connector of its own to the healthy system. The suite closes it.
	Open func(t *testing.T) connectors.Connector
	// Fresh gives an ordinary account that nobody has touched yet. It may be called at the same time.
	Fresh func(t *testing.T) Person
	// Login tries to sign in.
	Login func(t *testing.T, p Person, password string) Login
	// Modes are those that the system has, and Revokes tells whether it can end sessions.
	Modes   []schemas.Mode
	Revokes bool
	// Secrets must never show: the connector's own credentials.
	Secrets []string

	// Missing are well-formed names that nobody has, and of types that the system has no notion of.
	Missing []schemas.Account
	// Hostile are names that would match somebody if they were not escaped.
	Hostile []schemas.Account
	// Ambiguous are names that more than one account has.
	Ambiguous []schemas.Account
	// Tricky are accounts whose names hold characters that mean something to the system.
	Tricky []Person

	// Fingerprint sums up all that the system stores about accounts; it changes with every change.
	Fingerprint func(t *testing.T) string
	// Passwords lists every password that connectors of this harness have sent to the system as a new one so far.
	Passwords func(t *testing.T) []string

	Down            Fault // nobody listens
	Hang            Fault // connections are taken, and nothing is ever answered
	Garbage         Fault // answers that are none
	CutOff          Fault // every connection is closed at once
	WrongCredential Fault // the connector's own credential is wrong
	NoRights        Fault // the connector may look, but not change
	AnswerLost      Fault // a change is made, but its answer never arrives
	Slow            Fault // every answer takes 300 milliseconds, and all is well
	Expired         Fault // the connector is signed in, and from its second call on the system takes its token no more, but gives new ones
	Busy            Fault // the system asks for a pause of 7 seconds in place of every answer

	// Rename gives an account another name and the old name to nobody. It gives the account under its new name.
	Rename func(t *testing.T, p Person) Person

	// Lacks gives the reason for what is nil, by the field's name.
	Lacks map[string]string
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	h.check(t)
	w := &witness{}
	s := &suite{Harness: h, witness: w}
	t.Run("resolve", s.resolve)
	t.Run("classify", s.classify)
	t.Run("probe", s.probe)
	t.Run("reset", s.reset)
	t.Run("revoke", s.revoke)
	t.Run("verify", s.verify)
	t.Run("faults", s.faults)
	t.Run("passing", s.passing)
	t.Run("crowd", s.crowd)
	t.Run("secrets", s.secrets) // the last: it goes over all that was said
}

// suite is one run.
type suite struct {
	Harness
	witness *witness
}

// check fails for what is missing without a reason.
func (h *Harness) check(t *testing.T) {
	t.Helper()
	if h.Open == nil || h.Fresh == nil || h.Login == nil || len(h.Modes) == 0 || len(h.Secrets) == 0 || len(h.Missing) == 0 {
		t.Fatal("the harness needs Open, Fresh, Login, Modes, Secrets and Missing")
	}
	for name, there := range map[string]bool{
		"Hostile": h.Hostile != nil, "Ambiguous": h.Ambiguous != nil, "Tricky": h.Tricky != nil,
		"Fingerprint": h.Fingerprint != nil, "Passwords": h.Passwords != nil,
		"Down": h.Down != nil, "Hang": h.Hang != nil, "Garbage": h.Garbage != nil, "CutOff": h.CutOff != nil,
		"WrongCredential": h.WrongCredential != nil, "NoRights": h.NoRights != nil, "AnswerLost": h.AnswerLost != nil,
		"Slow": h.Slow != nil, "Expired": h.Expired != nil, "Busy": h.Busy != nil, "Rename": h.Rename != nil,
	} {
		switch reason := h.Lacks[name]; {
		case !there && reason == "":
			t.Errorf("the harness has no %s and no reason for that in Lacks", name)
		case there && reason != "":
			t.Errorf("the harness has %s and says in Lacks that it has not", name)
		case !there:
			t.Logf("not covered here: %s (%s)", name, reason)
		}
	}
}

// open gives a connector that is watched, and closed with the test.
func (s *suite) open(t *testing.T) connectors.Connector {
	t.Helper()
	return s.watch(t, s.Open(t))
}

func (s *suite) watch(t *testing.T, c connectors.Connector) connectors.Connector {
	t.Helper()
	w := &watched{Connector: c, t: t, witness: s.witness}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close, the second time: %v", err)
		}
	})
	return w
}

// has tells whether the system has a mode.
func (s *suite) has(m schemas.Mode) bool { return slices.Contains(s.Modes, m) }
