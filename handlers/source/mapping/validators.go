package mapping

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// loopValues refuses loops that make much in each turn: the cost of a list or an object does not grow with the values
// that are written into it, so that a loop could make a great many of them for little.
type loopValues struct{}

// Name implements cel.ASTValidator.
func (loopValues) Name() string { return "resetd.loop_values" }

// Validate implements cel.ASTValidator.
func (loopValues) Validate(_ *cel.Env, _ cel.ValidatorConfig, a *ast.AST, iss *cel.Issues) {
	for _, loop := range ast.MatchDescendants(ast.NavigateAST(a), ast.KindMatcher(ast.ComprehensionKind)) {
		values := 0
		for _, part := range []ast.Expr{loop.AsComprehension().LoopStep(), loop.AsComprehension().LoopCondition()} {
			ast.PostOrderVisit(part, ast.NewExprVisitor(func(e ast.Expr) {
				switch e.Kind() {
				case ast.ListKind:
					values += e.AsList().Size()
				case ast.MapKind:
					values += e.AsMap().Size()
				}
			}))
		}
		if values > maxLoopValues {
			iss.ReportErrorAtID(loop.ID(), "a loop makes lists and objects of more than %d values in each turn", maxLoopValues)
		}
	}
}

// noTypes refuses objects of named types, such as google.protobuf.Value{}: the library knows some, and a mapping needs none.
type noTypes struct{}

// Name implements cel.ASTValidator.
func (noTypes) Name() string { return "resetd.no_types" }

// Validate implements cel.ASTValidator.
func (noTypes) Validate(_ *cel.Env, _ cel.ValidatorConfig, a *ast.AST, iss *cel.Issues) {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(a), ast.KindMatcher(ast.StructKind)) {
		iss.ReportErrorAtID(e.ID(), "objects of named types are not made here; write {\"name\": value}")
	}
}

// literalPatterns refuses patterns that are not written out, that are no RE2, or whose program is too long to be run on
// whatever a body holds.
type literalPatterns struct{}

// Name implements cel.ASTValidator.
func (literalPatterns) Name() string { return "resetd.literal_patterns" }

// Validate implements cel.ASTValidator.
func (literalPatterns) Validate(_ *cel.Env, _ cel.ValidatorConfig, a *ast.AST, iss *cel.Issues) {
	for _, call := range ast.MatchDescendants(ast.NavigateAST(a), ast.KindMatcher(ast.CallKind)) {
		c := call.AsCall()
		if c.FunctionName() != "matches" && c.FunctionName() != "capture" {
			continue
		}
		args := c.Args()
		if len(args) == 0 {
			continue
		}
		last := args[len(args)-1]
		var source string
		ok := last.Kind() == ast.LiteralKind
		if ok {
			source, ok = last.AsLiteral().Value().(string)
		}
		if !ok {
			iss.ReportErrorAtID(last.ID(), "%s", fmt.Sprintf("the pattern of %s must be written out as a text", c.FunctionName()))
			continue
		}
		if err := learnPattern(source); err != nil {
			iss.ReportErrorAtID(last.ID(), "%s", err.Error())
		}
	}
}
