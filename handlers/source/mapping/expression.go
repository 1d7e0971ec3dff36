package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// expression is one text of a mapping: a path, a program, or a literal.
type expression struct {
	source  string
	path    *path
	program cel.Program
}

// scope is what an expression can see, and the budget that all of a delivery share.
type scope struct {
	ctx   context.Context
	work  *work
	body  any
	entry any
	vals  map[string]any // the same for programs
}

// work is what the expressions of one delivery have cost so far, and what they may.
type work struct{ cost, limit uint64 }

// ResolveName implements interpreter.Activation.
func (s *scope) ResolveName(name string) (any, bool) {
	v, ok := s.vals[name]
	return v, ok
}

// Parent implements interpreter.Activation.
func (s *scope) Parent() interpreter.Activation { return nil }

// with gives the scope of an entry.
func (s *scope) with(entry any) *scope {
	c := *s
	c.entry = entry
	c.vals = map[string]any{"body": s.vals["body"], "headers": s.vals["headers"], "now": s.vals["now"], "item": types.DefaultTypeAdapter.NativeToValue(entry)}
	return &c
}

// charge adds to what the delivery has cost; the error is errCost once that is too much.
func (s *scope) charge(steps uint64) error {
	if s.work.cost += steps; s.work.cost > s.work.limit {
		return errCost
	}
	return nil
}

// eval gives the value of an expression and whether there is any. The error is what makes the delivery fail.
func (e *expression) eval(s *scope) (v any, found bool, err error) {
	switch {
	case e.path != nil:
		from := s.entry
		if e.path.body {
			from = s.body
		}
		v, found = e.path.walk(from)
	case e.program == nil:
		return e.source, true, nil
	default:
		var out ref.Val
		if out, found, err = e.run(s); err != nil || !found {
			return nil, false, err
		}
		if v, err = native(out); err != nil {
			return nil, false, err
		}
	}
	return v, found, s.charge(reading(v))
}

// reading is what it costs to make something of a value that an expression gave.
func reading(v any) uint64 {
	switch v := v.(type) {
	case string:
		return uint64(1 + len(v)/bytesPerReading)
	case []any:
		return uint64(1 + len(v))
	}
	return 1
}

// run evaluates a program. What looks at a member that is not there gives nothing.
func (e *expression) run(s *scope) (ref.Val, bool, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, false, err
	}
	out, details, err := e.program.ContextEval(s.ctx, s)
	if details != nil {
		if c := details.ActualCost(); c != nil {
			if tooMuch := s.charge(*c); tooMuch != nil {
				return nil, false, tooMuch
			}
		}
	}
	switch {
	case err == nil:
		return out, true, nil
	case s.ctx.Err() != nil:
		return nil, false, s.ctx.Err()
	case missing(err):
		return nil, false, nil
	}
	if c, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && c.Cause == interpreter.CostLimitExceeded {
		return nil, false, errCost
	}
	return nil, false, err
}

var errCost = limitError("the expressions take too many steps for this body")

// errMissing is the error of a function that was given a null where it needs a value.
var errMissing = errors.New("no such key: null")

// missing tells whether an error comes from a look at what is not there: a member that an object lacks, or anything of a
// null. The library tells it in words only.
func missing(err error) bool {
	text := err.Error()
	for _, mark := range []string{"no such key", "no such attribute", "index out of bounds", "unsupported index type", "got 'types.Null', expected iterable", "optional.none() dereference"} {
		if strings.HasPrefix(text, mark) {
			return true
		}
	}
	return strings.HasPrefix(text, "no such overload") && strings.Contains(text, "null_type")
}

// compiler compiles the texts of one mapping.
type compiler struct {
	bad []error
	// proved is set for what must come from the body, which the sender vouches for: not from a header, which most schemes
	// do not cover, and not from the clock or from nowhere.
	proved bool
}

func (c *compiler) fault(at, format string, args ...any) {
	c.bad = append(c.bad, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

// expression compiles a text. The results are the types that a program may have.
func (c *compiler) expression(at, source string, environment func() (*cel.Env, error), results ...*cel.Type) *expression {
	switch {
	case strings.HasPrefix(source, "$"):
		p, err := parsePath(source)
		if err != nil {
			c.fault(at, "%w", err)
			return nil
		}
		return &expression{source: source, path: &p}
	case strings.HasPrefix(source, "="):
		program := c.program(at, source[1:], environment, results...)
		if program == nil {
			return nil
		}
		return &expression{source: source, program: program}
	}
	return &expression{source: source}
}

func (c *compiler) program(at, source string, environment func() (*cel.Env, error), results ...*cel.Type) cel.Program {
	if len(source) > maxSource {
		c.fault(at, "it has %d bytes; at most %d are taken", len(source), maxSource)
		return nil
	}
	e, err := environment()
	if err != nil {
		c.fault(at, "%w", err)
		return nil
	}
	checked, issues := e.Compile(source)
	if issues.Err() != nil {
		const most = 3 // what follows is often but a consequence
		for i, issue := range issues.Errors() {
			if i == most {
				break
			}
			where := ""
			if l := issue.Location; l.Line() > 0 {
				where = fmt.Sprintf("line %d, column %d: ", l.Line(), l.Column()+1)
			}
			c.fault(at, "%s%s%s", where, issue.Message, hint(source, issue.Message))
		}
		return nil
	}
	if why := c.misuse(checked); why != "" {
		c.fault(at, "%s", why)
		return nil
	}
	if !anyOf(checked.OutputType(), results) {
		advice := ""
		if checked.OutputType().IsExactType(cel.DynType) && slices.ContainsFunc(results, cel.BoolType.IsExactType) {
			advice = ", so write a comparison, such as body.closed == true"
		}
		c.fault(at, "it gives %s; it must give %s%s", checked.OutputType(), orList(results), advice)
		return nil
	}
	// The library's optimization stays off: it would run patterns itself, past their bound.
	program, err := e.Program(checked, cel.CostLimit(costLimit), cel.CostTracking(estimator{}),
		cel.InterruptCheckFrequency(1), cel.CustomDecoratorV2(makeLenient(checked.NativeRep())))
	if err != nil {
		c.fault(at, "%w", err)
		return nil
	}
	return program
}

// hint says what to write instead, where the library's words do not and the slip is a common one.
func hint(source, message string) string {
	switch {
	case strings.Contains(message, "undeclared reference to"):
		return "; there are body, item (inside foreach), headers and now, and the functions of deploy/senders.md"
	case strings.Contains(message, "token recognition error at: '$"):
		return "; a path cannot stand in an expression, so write body.x or item.x in place of $.x"
	case strings.Contains(message, "token recognition error at: '="):
		return "; compare with =="
	case strings.Contains(message, "found no matching overload") && strings.Contains(source, ")."), strings.Contains(message, "applied to '(dyn).("):
		return "; the functions of ours come first: write lower(x), not x.lower()"
	}
	return ""
}

// misuse tells what a program that must come from the body uses instead; empty if nothing.
func (c *compiler) misuse(a *cel.Ast) string {
	uses := map[string]bool{}
	ast.PreOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind {
			uses[e.AsIdent()] = true
		}
	}))
	switch {
	case !c.proved:
		return ""
	case uses["headers"]:
		return "it looks at a header, which a signature rarely covers, so that another could be put in; take it from the body"
	case uses["now"]:
		return "it looks at the clock; take it from the body"
	case !uses["body"] && !uses["item"]:
		return "it does not look at the body, so that each delivery would give the same"
	}
	return ""
}

func anyOf(t *cel.Type, allowed []*cel.Type) bool {
	for _, a := range allowed {
		if a.Kind() == types.DynKind && t.Kind() == types.DynKind || a.Kind() != types.DynKind && a.IsAssignableType(t) && t.Kind() != types.DynKind {
			return true
		}
		if t.Kind() == types.OpaqueKind && t.TypeName() == "optional_type" && len(t.Parameters()) == 1 && anyOf(t.Parameters()[0], allowed) {
			return true
		}
	}
	return false
}

func orList(list []*cel.Type) string {
	var names []string
	for _, t := range list {
		names = append(names, t.String())
	}
	return strings.Join(names, " or ")
}

// newScope makes the scope of a whole delivery.
func newScope(ctx context.Context, body any, headers map[string]string, now time.Time) *scope {
	return &scope{ctx: ctx, work: &work{limit: costDelivery}, body: body, entry: body, vals: map[string]any{
		"body": types.DefaultTypeAdapter.NativeToValue(body), "headers": headers, "now": now,
	}}
}
