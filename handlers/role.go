package handlers

import "fmt"

// Role says what a token may do. Each role may do all that the ones before it may.
type Role int

// The roles, from nothing to everything. Anyone stands in the route table for calls that need no token; no token has it.
const (
	Anyone   Role = iota
	Viewer        // looks at tasks, history, callbacks and systems
	Operator      // asks for resets, cancels, retries, redelivers, looks at accounts, checks systems, withdraws a permission
	Approver      // also decides what waits for approval
	Admin         // also changes settings, such as granting a permission
)

var roleNames = []string{"anyone", "viewer", "operator", "approver", "admin"}

// ParseRole reads the name of a role that a token can have.
func ParseRole(name string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if roleNames[r] == name {
			return r, nil
		}
	}
	return Anyone, fmt.Errorf("there is no role %q; use viewer, operator, approver or admin", name)
}

// String gives the role's name.
func (r Role) String() string {
	if r < Anyone || r > Admin {
		return "unknown"
	}
	return roleNames[r]
}
