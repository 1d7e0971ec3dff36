// Package handlers is the HTTP face of resetd: signed webhooks in, the API for operators, and one place in which every
// error becomes an RFC 9457 problem. It decides nothing about a reset and keeps nothing; it asks the jobs through the
// interfaces Tasks, History and Callbacks.
package handlers
