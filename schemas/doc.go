// Package schemas is the language that every part of resetd speaks: requests, tasks, events, outcome codes, callbacks,
// secrets and problems, with their validation and the state machine. It does no I/O and imports nothing else of resetd.
package schemas
