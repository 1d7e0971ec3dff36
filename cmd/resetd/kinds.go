//go:build !bench

package main

import (
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/builtin"
)

// kinds lists the kinds of IAM systems in this build.
func kinds() []connectors.Kind { return builtin.Kinds() }
