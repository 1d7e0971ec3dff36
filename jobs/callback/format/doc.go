// Package format says in the words of a receiver what became of a task: as resetd's own message, as a CloudEvent, or as
// the requests of a template. It makes requests and reads answers; it sends nothing.
//
// # Templates
//
// A body is a tree. Values are put into its leaves and the tree is encoded afterwards, so no value can end a string, add
// a member, or become a number. In the path of a URL a value is one segment or a part of one, and scheme, host and port
// come from the configuration alone. What is left is the receiver's own markup, which is told by Template.Text and kept
// from every value that came from outside.
//
// # Several requests
//
// Most tools have no idempotency key, so what was delivered is not sent again: the name of each request that was taken is
// kept with the attempt, and the next attempt goes on behind it. A request that was taken while its answer was lost is
// repeated all the same; its text ends with the id of the callback, so that a person sees it.
package format
