// Package ledger is the durable record: tasks, their events, the work that waits for them, callbacks and settings, in
// SQLite for one machine and in PostgreSQL beyond it.
//
// # Writing
//
// One goroutine writes. It takes whatever has arrived, at most maxBatch operations, reads all rows that they concern,
// lets them decide in memory one after the other, writes each row once, and commits once; only then are the callers
// answered. So the price of a sync to the disk is shared, several events of one task cost one projection, and the
// error of one operation leaves the others alone. Whatever keeps a batch from being durable (no room, no server, no
// answer in time) is told to every caller in it as schemas.ErrOverloaded: nothing was promised.
//
// # What is kept
//
// The events are the truth and are only ever added. A task's document is their fold, kept beside them so that reading
// needs no folding. Work rows are the outbox of everything unfinished. Accounts and scopes are dictionaries: of the
// account names for the search by substring, and of what a task's place in the search index is made of (see facet).
//
// The same SQL runs on both databases. What differs is in the two stores: SQLite runs a write row by row, which is
// cheap in the same process; PostgreSQL takes a whole batch in two round trips.
package ledger
