// Package ldapconn is what the kinds of connectors that speak LDAP have in common: addresses and their protection, connections
// with failover that are signed in, a pool, exchanges that end with a context, and errors as failures. What a certain product
// means by its answers stays with its kind.
package ldapconn
