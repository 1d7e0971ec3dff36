package schemas

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

// NameForm is the form of the name of a source or a system: it becomes part of URLs, queue names and metrics.
var NameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)

// firstSince is the first year that skip_if_changed_since may name. A time that some program never set, 1970 or 1601 as a
// rule, would leave every password alone.
const firstSince = 2000

// Validator checks everything that comes in against the tags of its type.
type Validator struct{ v *validator.Validate }

// NewValidator makes a validator that knows the tags of this package. It is safe for concurrent use.
func NewValidator() *Validator {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	register := func(tag string, ok func(fl validator.FieldLevel) bool) {
		if err := v.RegisterValidation(tag, ok); err != nil {
			panic(err) // only for a tag name that is misspelt above
		}
	}
	register("account", func(fl validator.FieldLevel) bool {
		a, ok := fl.Field().Interface().(Account)
		return ok && a.Check() == nil
	})
	register("calendar", func(fl validator.FieldLevel) bool {
		at, ok := fl.Field().Interface().(time.Time)
		return ok && (at.IsZero() || at.UTC().Year() >= 1 && at.UTC().Year() <= 9998)
	})
	register("since", func(fl validator.FieldLevel) bool {
		at, ok := fl.Field().Interface().(time.Time)
		return ok && (at.IsZero() || at.UTC().Year() >= firstSince)
	})
	register("name", func(fl validator.FieldLevel) bool { return NameForm.MatchString(fl.Field().String()) })
	register("text", func(fl validator.FieldLevel) bool { return checkParam(fl, false) == nil })
	register("lines", func(fl validator.FieldLevel) bool { return checkParam(fl, true) == nil })
	register("callback_event", func(fl validator.FieldLevel) bool {
		s := fl.Field().String()
		return s == CallbackFinal || slices.Contains(TaskStatuses(), Status(s))
	})
	return &Validator{v}
}

// Check validates a value and answers nil, or a 422 problem with a JSON pointer for each bad field.
func (x *Validator) Check(v any) *Problem {
	err := x.v.Struct(v)
	if err == nil {
		return nil
	}
	p := NewProblem(422, "invalid_request", "The request is not valid", "Correct the fields that are named and send it again.")
	bad, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		p.Errors = []FieldError{{Detail: "this cannot be checked"}}
		return p
	}
	single := false
	if d, isDelivery := v.(*Delivery); isDelivery {
		single = !d.Data.Batch
	}
	for _, e := range bad {
		p.Errors = append(p.Errors, FieldError{Pointer: pointer(e.Namespace(), single), Detail: explain(e)})
	}
	return p
}

// pointer turns the validator's namespace (Delivery.data.-[3].systems[0]) into a JSON pointer (/data/3/systems/0).
func pointer(namespace string, single bool) string {
	_, rest, _ := strings.Cut(namespace, ".")
	if single {
		rest = strings.Replace(rest, ".-[0]", "", 1)
	}
	rest = strings.Replace(rest, ".-", "", 1)
	rest = strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "").Replace(rest)
	return "/" + rest
}

func explain(e validator.FieldError) string {
	switch e.Tag() {
	case "account":
		if a, ok := e.Value().(Account); ok {
			if err := a.Check(); err != nil {
				return err.Error()
			}
		}
	case "text", "lines":
		if err := CheckText(fmt.Sprint(e.Value()), atoi(e.Param()), e.Tag() == "lines"); err != nil {
			return err.Error()
		}
	case "name":
		return "a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit"
	case "callback_event":
		return "this is no event; use final, or the name of a task status"
	case "oneof":
		return "use one of: " + e.Param()
	case "eq":
		return "this must be " + e.Param()
	case "calendar":
		return "this time lies outside the years 1 to 9998"
	case "since":
		return "this time lies before the year " + strconv.Itoa(firstSince) + ", so that every password would be left alone; leave it out, or name the time of the alert"
	case "required":
		return "this is missing"
	case "unique":
		return "this names something twice"
	case "url":
		return "this is not an absolute URL"
	case "max":
		if e.Kind() == reflect.Slice {
			return "this has too many entries; at most " + e.Param() + " are taken"
		}
		return "this is too long; at most " + e.Param() + " characters are taken"
	}
	return "this does not meet the rule " + e.Tag()
}

func checkParam(fl validator.FieldLevel, lines bool) error {
	return CheckText(fl.Field().String(), atoi(fl.Param()), lines)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("a length in a validate tag is not a number: " + s)
	}
	return n
}
