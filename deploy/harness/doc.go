// Package harness runs the real resetd binary against real servers on loopback: it builds it, writes its configuration,
// starts, kills and measures it, sends signed webhooks and receives the callbacks. The crash and benchmark programs and
// the end-to-end tests are made of it.
package harness
