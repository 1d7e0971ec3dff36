// Package mapping turns the body of a verified delivery into requests, by a mapping that is data.
//
// A text of a mapping is one of three things. $.a.b is a path: it gives what stands there, or nothing, and never fails;
// $.a[0].c and $.a["x.y"] work too, $ is the whole entry, and $body.a.b begins at the whole body where the mapping has a
// foreach. =… is an expression in CEL over body, item, headers and now. Anything else is taken as it stands.
//
// Expressions are compiled and checked at start. Their work is bounded: by what the compiler takes, by a cost that every
// function is charged for, by the size of what a function may make, and by a time that all expressions of a delivery
// share. Nobody can be reset by what is not certain: an account that may be another one than was meant is refused, with
// the reason.
package mapping
