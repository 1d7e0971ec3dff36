package schemas

import (
	_ "embed"
	"slices"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI gives the description of the API (OpenAPI 3.1, YAML): a copy that the caller may change.
func OpenAPI() []byte { return slices.Clone(openAPI) }
