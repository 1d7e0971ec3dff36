package handlers

import (
	"net/http"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// route is one call of the API.
type route struct {
	method string
	path   string // as in openapi.yaml: /v1/tasks/{id}
	need   Role   // what a token must at least be allowed to do
	handle func(*call) error
}

// hookPath is where senders deliver. They cannot be argued with, so their answers obey rules of their own (forSender).
const hookPath = "/v1/hooks/{source}"

// hookTokenPath is the same for a sender that can show its secret nowhere but in the URL.
const hookTokenPath = hookPath + "/{token}"

// hook tells whether senders deliver there.
func (r route) hook() bool { return r.path == hookPath || r.path == hookTokenPath }

// unmatched stands for every path or method that is not in the table.
const unmatched = "unmatched"

// routes is the table of contents. A hook needs no token: its signature is its key.
func (f *Face) routes() []route {
	metrics := Viewer
	if f.MetricsOpen {
		metrics = Anyone
	}
	return []route{
		{"POST", hookPath, Anyone, f.hook},
		{"GET", hookPath, Anyone, f.hook}, // some senders ask a question before their first delivery
		{"POST", hookTokenPath, Anyone, f.hook},
		{"GET", hookTokenPath, Anyone, f.hook},

		{"POST", "/v1/tasks", Operator, f.submit},
		{"GET", "/v1/tasks", Viewer, f.tasks},
		{"GET", "/v1/tasks/{id}", Viewer, f.task},
		{"GET", "/v1/tasks/{id}/events", Viewer, f.events},
		{"POST", "/v1/tasks/{id}/cancel", Operator, f.cancel},
		{"POST", "/v1/tasks/{id}/retry", Operator, f.retry},

		{"GET", "/v1/callbacks", Viewer, f.callbacks},
		{"POST", "/v1/callbacks/{id}/redeliver", Operator, f.redeliver},

		{"GET", "/v1/sources", Viewer, f.sources},

		{"GET", "/v1/systems", Viewer, f.systems},
		{"GET", "/v1/systems/{name}", Viewer, f.system},
		{"POST", "/v1/systems/{name}/check", Operator, f.check},
		{"PUT", "/v1/systems/{name}/enforcement", Operator, f.permit}, // granting takes Admin
		{"DELETE", "/v1/systems/{name}/enforcement", Admin, f.takeBack},
		{"GET", "/v1/accounts", Operator, f.accounts},

		{"GET", "/healthz", Anyone, f.healthz},
		{"GET", "/readyz", Anyone, f.readyz},
		{"GET", "/metrics", metrics, f.scrape},
		{"GET", "/openapi.yaml", Anyone, f.openapi},
	}
}

// pattern is the path as gin writes it: /v1/tasks/:id.
func (r route) pattern() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.path)
}

// methods are those that the route answers: HEAD wherever there is GET (RFC 9110 §9.1).
func (r route) methods() []string {
	if r.method == http.MethodGet {
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{r.method}
}

func (f *Face) noRoute(*call) error {
	return schemas.NewProblem(http.StatusNotFound, "unknown_path", "There is nothing at this path",
		"The paths are listed in /openapi.yaml; none of them ends with a slash.")
}

func (f *Face) noMethod(c *call) error {
	return schemas.NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This path does not take this method",
		"It takes "+c.Writer.Header().Get("Allow")+".")
}
