// Package queue wakes workers by asynq, on a Redis or on an engine inside the process. Everything of resetd that touches
// asynq or Redis is here.
//
// A wake-up holds ids and nothing else, and may be lost at any time: the ledger is the truth, and its sweep enqueues again
// what is due. asynq's own machinery for truth is therefore off: no retries, no retention, no unique locks, no delayed
// tasks. What is left of it is the list, the lease and the pool of handlers.
//
// asynq polls. A [bell] on each queue holds the poll back while the queue is known to be empty, until somebody enqueues: a
// wake-up is taken within a millisecond and an idle worker asks once a second.
package queue
