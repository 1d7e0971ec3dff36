// Package rest is what connectors to systems with an HTTP API have in common: one client that signs in, bounds what it
// reads, follows no redirect, repeats nothing but a call whose token was refused, and turns every way in which a call can
// end into a *schemas.Failure that says whether something may have been changed.
package rest
