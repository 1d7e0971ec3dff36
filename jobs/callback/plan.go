package callback

import (
	"fmt"
	"slices"

	"github.com/resetd/resetd/schemas"
)

// Plan settles, when a task is accepted, where its callbacks go and of what they tell. A URL in the request must be on
// the source's list; without one the source's own URL is taken; where there is neither the plan is nil, and nobody is
// told. Events come from the request, else from defaultEvents, else it is final alone.
//
// Where the format is a template the place is the configured one alone, and the plan shows no more of it than scheme, host
// and port.
//
// The error wraps schemas.ErrForbidden, says what is wrong with the URL, and lists the prefixes that are allowed. It does
// not repeat the URL's path and query.
func (p *Poster) Plan(source string, req *schemas.CallbackRequest, defaultEvents []string) (*schemas.CallbackPlan, error) {
	o, known := p.outlets[source]
	if req == nil {
		req = &schemas.CallbackRequest{}
	}
	url := req.URL
	switch {
	case known && o.format != nil && url != "":
		return nil, fmt.Errorf("%w: this source is told in the format %s, at the place that is configured; leave the callback's url out", schemas.ErrForbidden, o.format.Name())
	case known && o.format != nil:
		url = o.own.place()
	case url == "" && (!known || o.url.Empty()):
		return nil, nil
	case url == "":
		url = o.url.Reveal()
	case !known:
		return nil, fmt.Errorf("%w: no callbacks are configured for source %q", schemas.ErrForbidden, source)
	default:
		if _, err := o.permit(url); err != nil {
			return nil, err
		}
	}
	events := []string{schemas.CallbackFinal}
	switch {
	case len(req.Events) > 0:
		events = slices.Clone(req.Events)
	case len(defaultEvents) > 0:
		events = slices.Clone(defaultEvents)
	}
	return &schemas.CallbackPlan{URL: url, Events: events}, nil
}
