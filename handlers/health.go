package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
)

// readyTimeout is how long the parts of resetd may take to say that they work.
const readyTimeout = 2 * time.Second

var yamlType = []string{"application/yaml"} // RFC 9512

// healthz says that the process answers. An orchestrator that restarts on it must not do so because a database is down.
func (f *Face) healthz(c *call) error {
	c.write(http.StatusOK, jsonType, []byte(`{"status":"ok"}`))
	return nil
}

// readyz says whether new work can be taken.
func (f *Face) readyz(c *call) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	if err := f.Ready(ctx); err != nil {
		f.refusal.Warn().Err(err).Msg("not ready")
		p := schemas.NewProblem(http.StatusServiceUnavailable, "not_ready", "resetd cannot take work now",
			"A part that it needs does not work; its log says which.")
		p.RetryAfter = retryLater
		return p
	}
	c.write(http.StatusOK, jsonType, []byte(`{"status":"ready"}`))
	return nil
}

// scrape answers with the metrics of the whole process.
func (f *Face) scrape(c *call) error {
	f.Metrics.ServeHTTP(c.Writer, c.Request)
	return nil
}

// openapi gives the description of this API.
func (f *Face) openapi(c *call) error {
	c.write(http.StatusOK, yamlType, schemas.OpenAPI())
	return nil
}
