package schemas

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// cells are the letters of testdata/machine.txt.
var cells = map[string]Status{"Q": StatusQueued, "P": StatusInProgress, "S": StatusSuccessful, "U": StatusUnsuccessful,
	"R": StatusRejected, "C": StatusCancelled, "N": StatusNotFound, "A": StatusNotApplicable}

// readGrid reads the table that was written by hand, beside the code's own.
func readGrid(t *testing.T) map[edge]Status {
	t.Helper()
	text, err := os.ReadFile("testdata/machine.txt")
	if err != nil {
		t.Fatal(err)
	}
	grid, rows := map[edge]Status{}, map[Status]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != 1+len(EventTypes()) {
			t.Fatalf("the row of %s has %d cells for %d events", fields[0], len(fields)-1, len(EventTypes()))
		}
		rows[Status(fields[0])] = true
		for i, cell := range fields[1:] {
			if cell == "." {
				continue
			}
			to, ok := cells[cell]
			if !ok {
				t.Fatalf("the row of %s has an unknown cell %q", fields[0], cell)
			}
			grid[edge{Status(fields[0]), EventTypes()[i]}] = to
		}
	}
	if len(rows) != len(EnforcementStatuses()) {
		t.Fatalf("%d rows for %d statuses", len(rows), len(EnforcementStatuses()))
	}
	for _, s := range EnforcementStatuses() {
		if !rows[s] {
			t.Fatalf("no row for %s", s)
		}
	}
	return grid
}

func TestMachineIsTheTableThatPeopleRead(t *testing.T) {
	grid := readGrid(t)
	for _, from := range EnforcementStatuses() {
		for _, on := range EventTypes() {
			to, ok := Next(from, on)
			told := string(to)
			if !ok {
				told = "refused"
			}
			t.Logf("%-16s + %-14s = %s", from, on, told)
			want, wantOK := grid[edge{from, on}]
			if to != want || ok != wantOK {
				t.Errorf("%s + %s: got %q, %v; the grid says %q, %v", from, on, to, ok, want, wantOK)
			}
		}
	}
	if len(machine) != len(grid) {
		t.Errorf("the code has %d edges, the grid %d; one of them lies outside the known statuses and events", len(machine), len(grid))
	}
	for _, from := range []Status{"", "unheard-of", StatusPartiallySuccessful} {
		for _, on := range append(EventTypes(), "", "unheard-of") {
			if to, ok := Next(from, on); ok {
				t.Errorf("%q + %q leads to %q", from, on, to)
			}
		}
	}
}

// Apply must allow what Next allows, and nothing else, wherever an enforcement stands.
func TestApplyRefusesWhatTheMachineRefuses(t *testing.T) {
	for _, from := range EnforcementStatuses() {
		for _, on := range EventTypes() {
			task := taskAt(t, from)
			e := next(task, on)
			for _, system := range []string{"sys0", ""} {
				e.System = system
				after, err := task.Apply(e)
				to, ok := Next(from, on)
				if (err == nil) != ok || err != nil && !errors.Is(err, ErrTransition) {
					t.Errorf("%s + %s on %q: got %v", from, on, system, err)
				}
				switch {
				case ok && after.Enforcements[0].Status != to:
					t.Errorf("%s + %s on %q: got %s", from, on, system, after.Enforcements[0].Status)
				case !ok && (after.Version != task.Version || after.Enforcements[0].Status != from):
					t.Errorf("%s + %s on %q: a refused event changed the task", from, on, system)
				}
			}
		}
	}
}

func TestEveryStatusIsReachable(t *testing.T) {
	reached := map[Status]bool{}
	var visit func(Status)
	visit = func(s Status) {
		if reached[s] {
			return
		}
		reached[s] = true
		for _, on := range EventTypes() {
			if to, ok := Next(s, on); ok {
				visit(to)
			}
		}
	}
	for _, begin := range []Status{StatusQueued, StatusPendingApproval, StatusRejected} {
		if _, err := (Task{}).Apply(accepted(begin, 1)); err != nil {
			t.Errorf("a task cannot begin as %s: %v", begin, err)
		}
		visit(begin)
	}
	for _, s := range EnforcementStatuses() {
		if !reached[s] {
			t.Errorf("no path leads to %s", s)
		}
	}
}

func TestOnlyAPersonLeavesAFinalStatus(t *testing.T) {
	for _, from := range EnforcementStatuses() {
		leaves := false
		for _, on := range EventTypes() {
			_, ok := Next(from, on)
			leaves = leaves || ok
			if ok && from.Final() && on != EventRetried {
				t.Errorf("%s is final, and %s leaves it", from, on)
			}
			if ok && !from.Final() && on == EventRetried {
				t.Errorf("%s is not final, and can be retried", from)
			}
		}
		if !from.Final() && !leaves {
			t.Errorf("%s is not final, and nothing leaves it", from)
		}
	}
}

func TestATaskBeginsWithAcceptedAndOnlyAsItMay(t *testing.T) {
	for _, s := range append(TaskStatuses(), StatusNotFound, StatusNotApplicable, "") {
		_, err := (Task{}).Apply(accepted(s, 2))
		may := s == StatusQueued || s == StatusPendingApproval || s == StatusRejected
		if (err == nil) != may || err != nil && !errors.Is(err, ErrTransition) {
			t.Errorf("a task that begins as %q: got %v", s, err)
		}
	}
	none, empty, twice, late := accepted(StatusQueued, 1), accepted(StatusQueued, 0), accepted(StatusQueued, 2), accepted(StatusQueued, 1)
	none.Accepted = nil
	twice.Accepted.Systems[1] = twice.Accepted.Systems[0]
	late.Seq = 2
	for name, e := range map[string]Event{"without its content": none, "for no system": empty, "for one system twice": twice, "as number two": late,
		"not at all": {TaskID: "t", Seq: 1, At: noon, Type: EventClaimed, System: "sys0"}} {
		if _, err := (Task{}).Apply(e); !errors.Is(err, ErrTransition) {
			t.Errorf("accepted %s: got %v", name, err)
		}
	}
	if _, err := taskAt(t, StatusQueued).Apply(next(taskAt(t, StatusQueued), EventAccepted)); !errors.Is(err, ErrTransition) {
		t.Errorf("a task was accepted twice: %v", err)
	}
}

func TestStatusesAreKnownOnceAndFinalOnesLast(t *testing.T) {
	for name, list := range map[string][]Status{"task": TaskStatuses(), "enforcement": EnforcementStatuses()} {
		seen := map[Status]bool{}
		for i, s := range list {
			if seen[s] || s == "" {
				t.Errorf("%s status %q occurs twice or is empty", name, s)
			}
			seen[s] = true
			if s.Final() != (i >= 3) {
				t.Errorf("%s status %s: final is %v", name, s, s.Final())
			}
		}
	}
	if Status("").Final() {
		t.Error("a task that does not exist yet is final")
	}
	if len(TaskStatuses()) != 8 || len(EnforcementStatuses()) != 9 {
		t.Error("the design knows eight and nine statuses")
	}
}
