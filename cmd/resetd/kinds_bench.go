//go:build bench

package main

import (
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/builtin"
	"github.com/resetd/resetd/deploy/bench/imitation"
)

// kinds lists the kinds of IAM systems in a benchmark build: one more, in memory.
func kinds() []connectors.Kind { return append(builtin.Kinds(), imitation.Kind()) }
