package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"github.com/resetd/resetd/schemas"
)

// rules checks a struct that was read at base against its validate tags. What is at fault already is left out: a value
// that could not be read breaks every rule.
func (d *decoder) rules(base string, into any) {
	err := newRules().Struct(into)
	bad, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return
	}
	for _, e := range bad {
		_, path, _ := strings.Cut(e.Namespace(), ".")
		if base != "" {
			path = base + "." + path
		}
		if !d.faulty(path) {
			d.fault(path, "%s", d.explain(path, e))
		}
	}
}

// faulty tells whether a path, or one above it, is at fault already.
func (d *decoder) faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(f Fault) bool { return f.Covers(path) })
}

// newRules makes a validator that names fields by their yaml tags and knows the rules of this package beside the common
// ones: name (schemas.NameForm) and callback_event.
func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return name
	})
	register := func(tag string, ok func(text string) bool) {
		err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool { return ok(fl.Field().String()) })
		if err != nil {
			panic(err) // only for a tag name that is misspelt below
		}
	}
	register("name", schemas.NameForm.MatchString)
	register("callback_event", func(s string) bool { return slices.Contains(callbackEvents(), s) })
	return v
}

// callbackEvents lists what a callback can tell of.
func callbackEvents() []string {
	out := []string{schemas.CallbackFinal}
	for _, s := range schemas.TaskStatuses() {
		out = append(out, string(s))
	}
	return out
}

// explain says what a rule asks for.
func (d *decoder) explain(path string, e validator.FieldError) string {
	_, there := d.places[path]
	switch e.Tag() {
	case "required":
		if e.Type() == reflect.TypeFor[schemas.Secret]() {
			return "this is missing; write " + d.variableFor(path) + " or file:PATH"
		}
		if there {
			return "this is empty; fill it"
		}
		return "this is missing; add it"
	case "name":
		return "a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit"
	case "oneof":
		return "use one of " + strings.ReplaceAll(e.Param(), " ", ", ")
	case "callback_event":
		return "this is no event; use one of " + strings.Join(callbackEvents(), ", ")
	case "unique":
		return "this names something twice; keep one"
	case "url", "http_url":
		return "this must be a URL with scheme and host, such as https://host.example.com"
	case "min":
		switch {
		case e.Type() == reflect.TypeFor[[]schemas.Secret]():
			return `this lists no secret; write ["` + d.variableFor(path) + `"] or ["file:PATH"]`
		case e.Kind() == reflect.Slice && !there:
			return "this list is missing; add it"
		}
		return "this must be at least " + amount(e)
	case "max":
		return "this must be at most " + amount(e)
	}
	return strings.TrimSuffix(fmt.Sprintf("this breaks the rule %s=%s", e.Tag(), e.Param()), "=")
}

// amount gives the bound of a rule with its unit.
func amount(e validator.FieldError) string {
	switch {
	case e.Type() == reflect.TypeFor[time.Duration]():
		return e.Param()
	case e.Kind() == reflect.Slice || e.Kind() == reflect.Map:
		return e.Param() + " entries long"
	case e.Kind() == reflect.String:
		return e.Param() + " characters long"
	}
	return e.Param()
}
