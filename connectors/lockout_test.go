package connectors

import (
	"context"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestARefusedLogInIsNotTriedAgainForEveryTask(t *testing.T) {
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	tries, wrong := 0, true
	answer := func() error {
		tries++
		if wrong {
			return schemas.Fail(schemas.CodeBadCredentials, "the password is wrong")
		}
		return nil
	}
	set, err := NewSet([]System{{Name: "corp-ad", Permitted: func() bool { return true }, Connector: loginConnector{answer: answer}}},
		Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = set.Close() }()
	resolve := func() schemas.Code {
		_, err := set.Resolve(t.Context(), "corp-ad", schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
		return schemas.CodeOf(err)
	}
	for range 50 {
		if got := resolve(); got != schemas.CodeBadCredentials {
			t.Fatalf("%s, want bad_credentials", got)
		}
	}
	if tries != 1 {
		t.Errorf("%d log-ins were tried for 50 tasks, want 1", tries)
	}
	// A person mends it, and says so by a check.
	wrong = false
	if _, err := set.Probe(t.Context(), "corp-ad"); err != nil {
		t.Fatal(err)
	}
	if got := resolve(); got != schemas.CodeOK {
		t.Errorf("after the check: %s", got)
	}
	// Nobody says anything: after a while it is tried again.
	wrong = true
	resolve()
	before := tries
	now = now.Add(refusedFor)
	if resolve(); tries != before+1 {
		t.Errorf("it was tried %d times after the time was over, want once", tries-before)
	}
}

// loginConnector only signs in.
type loginConnector struct {
	Connector
	answer func() error
}

func (c loginConnector) Probe(context.Context) (schemas.Capabilities, error) {
	return schemas.Capabilities{}, c.answer()
}

func (c loginConnector) Resolve(context.Context, schemas.Account) (schemas.Identity, error) {
	return schemas.Identity{ID: "id"}, c.answer()
}

func (loginConnector) Close() error { return nil }
