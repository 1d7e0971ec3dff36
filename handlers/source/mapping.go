package source

import (
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// The forms that a body can have, by the name that a preset uses.
var forms = map[string]func(*schemas.Validator) Mapper{
	"native": func(v *schemas.Validator) Mapper { return native{v} },
}

func newMapper(form string, v *schemas.Validator) (Mapper, error) {
	open, ok := forms[form]
	if !ok {
		return nil, fmt.Errorf("there is no body form %q", form)
	}
	return open(v), nil
}

// native is resetd's own body: {"type": "password_reset.requested", "timestamp": …, "data": one request or a list}.
type native struct{ v *schemas.Validator }

// Map implements Mapper. A body that is no JSON is a 400, anything else that is wrong with it a 422.
func (n native) Map(body []byte) (Mapped, *schemas.Problem) {
	var d schemas.Delivery
	if p := schemas.Decode(body, &d); p != nil {
		return Mapped{}, p
	}
	if p := n.v.Check(&d); p != nil {
		return Mapped{}, p
	}
	return Mapped{Requests: d.Data.Items, Root: "/data", Single: !d.Data.Batch}, nil
}
