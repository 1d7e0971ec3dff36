package mapping

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// Program is what a source's mapping consists of.
type Program struct {
	Map        sender.Map
	IgnoreWhen []sender.Rule
	RefuseWhen []sender.Rule
}

// Input is a delivery that was verified.
type Input struct {
	Body   []byte // JSON
	Header http.Header
	Now    time.Time
}

// Result is what a delivery asks for.
type Result struct {
	Requests []schemas.Request // valid as far as their own fields go
	Pointers []string          // for each request, where its entry stands in the body, as a JSON pointer; empty is the whole body
	Actors   []string          // for each request, who caused what is reported; empty if it is not known
	Ignored  string            // why the delivery asks for nothing; empty if it does ask, or was simply an empty list
	Skipped  int               // entries that skip_when left out
}

// Mapping is a compiled Program. It is safe for concurrent use.
type Mapping struct {
	fixed   sender.Map
	check   *schemas.Validator
	foreach alternatives
	fields  struct{ account, reference, description, occurredAt, actor alternatives }
	ignore  []rule
	refuse  []rule
	skip    []rule
}

// alternatives are tried in order.
type alternatives []*expression

// rule is a condition with a reason that a person reads.
type rule struct {
	at string // its place in the YAML
	*expression
	why string
}

const maxAlternatives = 16

// Compile checks and compiles a program. The error joins one error for each fault, which begins with its place in the
// YAML: map.account[1]: …, ignore_when[0].if: ….
func Compile(p Program, v *schemas.Validator) (*Mapping, error) {
	if v == nil {
		return nil, errors.New("map: the validator is missing")
	}
	c := &compiler{}
	m := &Mapping{fixed: p.Map, check: v}
	scalar := []*cel.Type{cel.StringType, cel.IntType, cel.UintType, cel.DoubleType, cel.DynType, cel.NullType}
	texts := append([]*cel.Type{cel.BoolType, cel.ListType(cel.DynType)}, scalar...)
	c.proved = true
	m.foreach = c.alternatives("map.foreach", p.Map.ForEach, deliveryEnv, cel.ListType(cel.DynType), cel.DynType)
	m.fields.account = c.alternatives("map.account", p.Map.Account, entryEnv, cel.StringType, cel.DynType, cel.IntType, cel.UintType,
		cel.ListType(cel.DynType), cel.MapType(cel.StringType, cel.DynType), cel.NullType)
	m.fields.occurredAt = c.alternatives("map.occurred_at", p.Map.OccurredAt, entryEnv, append([]*cel.Type{cel.TimestampType}, scalar...)...)
	c.proved = false
	m.fields.reference = c.alternatives("map.reference", p.Map.Reference, entryEnv, texts...)
	m.fields.description = c.alternatives("map.description", p.Map.Description, entryEnv, texts...)
	m.fields.actor = c.alternatives("map.actor", p.Map.Actor, entryEnv, texts...)
	m.skip = c.rules("map.skip_when", p.Map.SkipWhen, entryEnv)
	m.ignore = c.rules("ignore_when", p.IgnoreWhen, deliveryEnv)
	m.refuse = c.rules("refuse_when", p.RefuseWhen, deliveryEnv)
	c.fixed(p)
	if len(c.bad) > 0 {
		return nil, errors.Join(c.bad...)
	}
	return m, nil
}

// fixed checks what needs no compiler.
func (c *compiler) fixed(p Program) {
	if len(p.Map.Account) == 0 {
		c.fault("map.account", "it is missing; say where the account stands, such as $.user")
	}
	for at, list := range map[string]sender.Expressions{"account": p.Map.Account, "foreach": p.Map.ForEach, "occurred_at": p.Map.OccurredAt} {
		for i, s := range list {
			if !strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "=") && strings.TrimSpace(s) != "" {
				c.fault(fmt.Sprintf("map.%s[%d]", at, i), "it is the same for each delivery; write a path such as $.user, or an expression behind =")
			}
		}
	}
	if t := schemas.AccountType(p.Map.AccountType); t != "" && !validType(t) {
		c.fault("map.account_type", "there is no type %q; use one of %v", t, schemas.AccountTypes())
	}
	switch schemas.Mode(p.Map.Mode) {
	case "", schemas.ModeRandomize, schemas.ModeExpire, schemas.ModeRecovery:
	default:
		c.fault("map.mode", "there is no mode %q; use randomize, expire or recovery", p.Map.Mode)
	}
}

func (c *compiler) alternatives(at string, list sender.Expressions, environment func() (*cel.Env, error), results ...*cel.Type) alternatives {
	if len(list) > maxAlternatives {
		c.fault(at, "it has %d alternatives; at most %d are taken", len(list), maxAlternatives)
		return nil
	}
	var out alternatives
	for i, source := range list {
		place := fmt.Sprintf("%s[%d]", at, i)
		if strings.TrimSpace(source) == "" {
			c.fault(place, "it is empty")
			continue
		}
		if e := c.expression(place, source, environment, results...); e != nil {
			out = append(out, e)
		}
	}
	return out
}

func (c *compiler) rules(at string, list []sender.Rule, environment func() (*cel.Env, error)) []rule {
	var out []rule
	for i, r := range list {
		place := fmt.Sprintf("%s[%d]", at, i)
		source := strings.TrimPrefix(strings.TrimSpace(r.If), "=")
		if strings.TrimSpace(r.Why) == "" {
			c.fault(place+".why", "it is missing; say what a person should read")
		}
		if strings.TrimSpace(source) == "" {
			c.fault(place+".if", "it is missing; write an expression such as body.status == \"resolved\"")
			continue
		}
		if p := c.program(place+".if", source, environment, cel.BoolType); p != nil {
			out = append(out, rule{place, &expression{source: source, program: p}, r.Why})
		}
	}
	return out
}
