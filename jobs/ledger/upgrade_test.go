package ledger

import (
	"bufio"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// older makes a ledger as the version with a schema left it: the schema, and a file in testdata which that version wrote:
// one task in each state, named after it, on the systems a and b.
func older(t *testing.T, p *place, schema int64) {
	t.Helper()
	k, driver, location, dialect := kindSQLite, "sqlite", "", goose.DialectSQLite3
	if p.options.URL == "sqlite" {
		location = dsn(filepath.Join(p.options.Dir, fileName))
	} else {
		k, driver, location, dialect = kindPostgres, "pgx", p.options.URL, goose.DialectPostgres
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	folder, err := fs.Sub(migrations, "migrations/"+string(k))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, db, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join("testdata", fmt.Sprintf("schema%d.jsonl", schema)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		insert(t, db, k, lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if k == kindPostgres { // the numbers that were given away
		for _, s := range []string{"SELECT setval('task_numbers', (SELECT max(n) FROM tasks))",
			"SELECT setval(pg_get_serial_sequence('accounts', 'id'), (SELECT max(id) FROM accounts))",
			"SELECT setval(pg_get_serial_sequence('scopes', 'id'), (SELECT max(id) FROM scopes))"} {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// insert writes one line of the file: the name of a table and a row, whose bytes stand as {"hex": …}.
func insert(t *testing.T, db *sql.DB, k kind, line []byte) {
	t.Helper()
	var one struct {
		Table string         `json:"table"`
		Row   map[string]any `json:"row"`
	}
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.UseNumber()
	if err := d.Decode(&one); err != nil {
		t.Fatal(err)
	}
	columns := slices.Sorted(maps.Keys(one.Row))
	places, args := make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		places[i] = "$" + strconv.Itoa(i+1)
		switch v := one.Row[c].(type) {
		case json.Number:
			args[i], _ = v.Int64()
		case map[string]any:
			args[i], _ = hex.DecodeString(v["hex"].(string))
		default:
			args[i] = v
		}
	}
	overriding := ""
	if k == kindPostgres {
		overriding = "OVERRIDING SYSTEM VALUE "
	}
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) %sVALUES (%s)", one.Table, strings.Join(columns, ", "), overriding,
		strings.Join(places, ", ")), args...); err != nil {
		t.Fatal(err)
	}
}

func TestALedgerOfAVersionBeforeIsOpenedAndGoesOn(t *testing.T) {
	for schema, want := range map[int64]struct{ tasks, permissions int }{1: {12, 0}, 2: {15, 1}} {
		t.Run(fmt.Sprint("schema ", schema), func(t *testing.T) {
			onBoth(t, func(t *testing.T, p *place) {
				older(t, p, schema)
				upgraded(t, p, want.tasks, want.permissions)
			})
		})
	}
}

func upgraded(t *testing.T, p *place, tasks, permissions int) {
	l := p.open(t)
	page, err := l.Search(t.Context(), schemas.TaskQuery{System: "b", Limit: 100})
	if err != nil || len(page.Tasks) != tasks {
		t.Fatalf("%d tasks, %v; want %d", len(page.Tasks), err, tasks)
	}
	for _, task := range page.Tasks {
		events, err := l.Events(t.Context(), task.ID)
		if err != nil || !same(t, fold(t, events), task) {
			t.Errorf("%s is not the fold of its history, %v", task.Request.Account.Value, err)
		}
		goOn(t, l, task)
	}
	for _, system := range []string{"a", "b", "corp-ad"} {
		if works, err := l.Due(t.Context(), jobs.QueueOf(system), epoch.Add(time.Hour), 100); err != nil || len(works) != 0 {
			t.Errorf("%s is left with work: %+v, %v", system, works, err)
		}
	}
	callbacks, err := l.Callbacks(t.Context(), schemas.CallbackQuery{Limit: 100})
	if err != nil || len(callbacks.Callbacks) < tasks {
		t.Errorf("%d callbacks, %v", len(callbacks.Callbacks), err)
	}
	if known, err := l.Permissions(t.Context()); err != nil || len(known) != permissions {
		t.Errorf("permissions %v, %v", known, err)
	}
	if err := l.RecordPermission(t.Context(), schemas.PermissionChange{System: "a", At: epoch, Actor: "token:root", Decision: schemas.DecisionGranted}); err != nil {
		t.Error(err)
	}
	// What is new since: a task that follows another, and a delivery without a key.
	first := mustCreate(t, l, accepted(epoch.Add(time.Hour), "queued", "a", "b"))
	second := delivery("soar", "", accepted(epoch.Add(time.Hour), "queued", "a", "b"))
	second.Then = [][]schemas.Event{{{TaskID: second.Accepted[0].TaskID, At: epoch.Add(time.Hour), Type: schemas.EventCoalesced, System: "a",
		CoalescedWith: &schemas.Coalesced{TaskID: first.ID, EnforcementID: first.Enforcements[0].ID}}}}
	if _, replay, err := l.Create(t.Context(), second); err != nil || replay {
		t.Errorf("replay %v, %v", replay, err)
	}
	if ids, err := l.Followed(t.Context(), "", 10); err != nil || len(ids) != 1 || ids[0] != first.Enforcements[0].ID {
		t.Errorf("followed are %v, %v", ids, err)
	}
}

// goOn brings a task to its end by what this version does: what failed is retried, and b turns out to be a copy of
// corp-ad.
func goOn(t *testing.T, l *Ledger, task schemas.Task) {
	t.Helper()
	at := epoch.Add(10 * time.Minute)
	if task.Status == schemas.StatusPendingApproval {
		task = mustStep(t, l, task.ID, schemas.Event{At: at, Type: schemas.EventApproved})
	}
	for _, n := range task.Enforcements {
		if _, ok := schemas.Next(n.Status, schemas.EventRetried); ok {
			task = mustStep(t, l, task.ID, schemas.Event{At: at, Type: schemas.EventRetried, System: n.System, Generation: n.Generation + 1})
		}
	}
	if task.Status.Final() {
		return
	}
	if b := task.On("b"); !b.Status.Final() && b.WaitsFor == "" {
		task = claimDue(t, l, task, "b", at)
		var err error
		if task, err = l.Route(t.Context(), task, "corp-ad", step(
			schemas.Event{At: at, Type: schemas.EventRouted, System: "corp-ad", Via: "b", Account: &schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}},
			schemas.Event{At: at, Type: schemas.EventDeferred, System: "b", Waited: true, WaitsFor: "corp-ad", DueAt: at.Add(time.Hour)})); err != nil {
			t.Fatal(err)
		}
	}
	for _, system := range []string{"corp-ad", "b", "a"} {
		if n := task.On(system); n != nil && !n.Status.Final() {
			claimDue(t, l, task, system, at)
			task = mustStep(t, l, task.ID, schemas.Event{At: at, Type: schemas.EventSucceeded, System: system, Code: schemas.CodeOK})
		}
	}
	if !task.Status.Final() || task.Status == schemas.StatusUnsuccessful {
		t.Errorf("%s ends as %s", task.Request.Account.Value, task.Status)
	}
}

// claimDue claims what is due of a task on a system, as a worker does.
func claimDue(t *testing.T, l *Ledger, task schemas.Task, system string, at time.Time) schemas.Task {
	t.Helper()
	n := task.On(system)
	w := jobs.Work{ID: n.ID, TaskID: task.ID, Queue: jobs.QueueOf(system), Generation: n.Generation}
	task, err := l.TransitionDue(t.Context(), w, at, step(schemas.Event{At: at, Type: schemas.EventClaimed, System: system, Generation: n.Generation + 1, DueAt: at.Add(time.Minute)}))
	if err != nil {
		t.Fatalf("%s on %s: %v", task.Request.Account.Value, system, err)
	}
	return task
}
