// Package soar holds what SOAR tools need to speak with resetd: snippets that sign, in README.md, and playbooks. It has no
// code of its own; its tests run the snippets as they are printed.
package soar
