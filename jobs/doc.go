// Package jobs carries a task from acceptance to callback: submit, dispatch, enforce, deliver, sweep. The ledger
// decides, the queue only wakes a worker.
package jobs
