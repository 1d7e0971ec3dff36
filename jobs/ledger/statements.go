package ledger

import (
	"fmt"
	"strings"
)

// A statement changes rows of one table, one row for each set of arguments. SQLite runs its text row by row; PostgreSQL
// runs another form of it once, with one array for each column.
type statement struct {
	verb, table string
	// In the order of the arguments. The first is the key of an update or a deletion. A walk deletes from the first to below
	// the second, up to the third.
	columns []column
	rest    string // what follows an insert, or further conditions of a deletion or a walk
}

type column struct{ name, typ string } // typ is PostgreSQL's name; SQLite goes by the values

const (
	bigint = "bigint"
	text   = "text"
	bytea  = "bytea"
)

// The statements of the writer, in the order in which a batch runs them.
const (
	insertAccount = iota
	insertScope
	insertTask
	updateTask
	updateDoc
	insertEvent
	insertLeader
	updateLeader
	insertBody
	updateBody
	upsertWork
	deleteWork
	insertCallback
	updateCallback
	putSetting
	insertPermission
	purgeEvents
	purgeCallbacks
	purgeLeaders
	purgeBodies
	purgeTask
	purgeAccount
	statementCount
)

var statements = [statementCount]statement{
	insertAccount: {"insert", "accounts", []column{{"id", bigint}, {"key", text}}, ""},
	insertScope:   {"insert", "scopes", []column{{"id", bigint}, {"source", text}, {"systems", text}}, ""},
	insertTask: {"insert", "tasks", []column{{"n", bigint}, {"id", text}, {"idem", bytea}, {"body_hash", bytea},
		{"account", bigint}, {"facet", bigint}, {"created_at", bigint}, {"doc", text}}, ""},
	updateTask:  {"update", "tasks", []column{{"n", bigint}, {"facet", bigint}, {"doc", text}}, ""},
	updateDoc:   {"update", "tasks", []column{{"n", bigint}, {"doc", text}}, ""},
	insertEvent: {"insert", "events", []column{{"task", bigint}, {"seq", bigint}, {"doc", text}}, ""},
	// Two replicas that insert the same leader or body lose a race, one of them: it decides again, and finds the other's.
	insertLeader: {"insert", "leaders", []column{{"subject", bytea}, {"task", bigint}}, ""},
	updateLeader: {"update", "leaders", []column{{"subject", bytea}, {"task", bigint}}, ""},
	insertBody:   {"insert", "bodies", []column{{"digest", bytea}, {"at", bigint}, {"task", bigint}}, ""},
	updateBody:   {"update", "bodies", []column{{"digest", bytea}, {"at", bigint}, {"task", bigint}}, ""},
	upsertWork: {"insert", "work", []column{{"id", text}, {"task_id", text}, {"queue", text}, {"generation", bigint}, {"due_at", bigint}},
		"ON CONFLICT (id) DO UPDATE SET queue = excluded.queue, generation = excluded.generation, due_at = excluded.due_at"},
	deleteWork:     {"delete", "work", []column{{"id", text}}, ""},
	insertCallback: {"insert", "callbacks", []column{{"id", text}, {"task", bigint}, {"state", text}, {"created_at", bigint}, {"doc", text}}, ""},
	updateCallback: {"update", "callbacks", []column{{"id", text}, {"state", text}, {"doc", text}}, ""},
	putSetting: {"insert", "settings", []column{{"key", text}, {"value", text}, {"updated_at", bigint}},
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"},
	insertPermission: {"insert", "permissions", []column{{"system", text}, {"at", bigint}, {"actor", text}, {"decision", text},
		{"before", text}, {"after", text}, {"reason", text}}, ""},
	purgeEvents:    {"delete", "events", []column{{"task", bigint}}, ""},
	purgeCallbacks: {"delete", "callbacks", []column{{"task", bigint}}, ""},
	// A task that is newer than all that were purged is left out, although it may not be seen yet by the one who asks.
	purgeLeaders: {"walk", "leaders", []column{{"subject", bytea}, {"subject", bytea}, {"task", bigint}},
		"AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.n = leaders.task)"},
	purgeBodies: {"delete", "bodies", []column{{"task", bigint}}, ""},
	purgeTask:   {"delete", "tasks", []column{{"n", bigint}}, ""},
	purgeAccount: {"delete", "accounts", []column{{"id", bigint}},
		"AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.account = accounts.id)"},
}

// row gives the text for one row, with $1, $2 … for the columns.
func (s statement) row() string {
	return s.text(func(i int) string { return fmt.Sprintf("$%d", i+1) }, func(names, marks string) string {
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", s.table, names, marks)
	}, "", "")
}

// arrays gives the text for many rows, with $1, $2 … for an array of each column.
func (s statement) arrays() string {
	var marks, names []string
	for i, c := range s.columns {
		marks = append(marks, fmt.Sprintf("$%d::%s[]", i+1, c.typ))
		names = append(names, fmt.Sprintf("c%d", i+1))
	}
	from := fmt.Sprintf("unnest(%s) AS v (%s)", strings.Join(marks, ", "), strings.Join(names, ", "))
	return s.text(func(i int) string { return fmt.Sprintf("v.c%d", i+1) }, func(names, marks string) string {
		return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", s.table, names, marks, from)
	}, " FROM "+from, " USING "+from)
}

// text puts a statement together: mark gives the argument of a column, insert the form of an insert, and from and using
// where the rows of an update and a deletion come from.
func (s statement) text(mark func(int) string, insert func(names, marks string) string, from, using string) string {
	names, marks, sets := make([]string, len(s.columns)), make([]string, len(s.columns)), make([]string, 0, len(s.columns))
	for i, c := range s.columns {
		names[i], marks[i] = c.name, mark(i)
		if i > 0 {
			sets = append(sets, c.name+" = "+mark(i))
		}
	}
	var out string
	switch s.verb {
	case "insert":
		out = insert(strings.Join(names, ", "), strings.Join(marks, ", "))
	case "update":
		out = fmt.Sprintf("UPDATE %s SET %s%s WHERE %s.%s = %s", s.table, strings.Join(sets, ", "), from, s.table, names[0], marks[0])
	case "delete":
		out = fmt.Sprintf("DELETE FROM %s%s WHERE %s.%s = %s", s.table, using, s.table, names[0], marks[0])
	case "walk":
		out = fmt.Sprintf("DELETE FROM %[1]s%[2]s WHERE %[1]s.%[3]s >= %[4]s AND %[1]s.%[3]s < %[5]s AND %[1]s.%[6]s <= %[7]s",
			s.table, using, names[0], marks[0], marks[1], names[2], marks[2])
	}
	return strings.TrimSpace(out + " " + s.rest)
}

// changes collects the arguments of every statement of a batch.
type changes [statementCount][]any

// add takes the arguments of one row.
func (c *changes) add(statement int, args ...any) { c[statement] = append(c[statement], args...) }

// empty tells whether there is nothing to write, so that the transaction need not wait for the disk.
func (c *changes) empty() bool {
	for _, args := range c {
		if len(args) > 0 {
			return false
		}
	}
	return true
}
