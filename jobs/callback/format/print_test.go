package format

import "fmt"

// printed gives everything that fmt can make of a value.
func printed(v any) string { return fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v) }
