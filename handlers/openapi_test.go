package handlers_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

func TestOpenAPIDocumentIsValidWithItsExamples(t *testing.T) {
	c := loadContract(t)
	if err := c.doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(c.doc.OpenAPI, "3.1.") {
		t.Fatal(c.doc.OpenAPI)
	}
}

func TestEveryRouteIsDocumentedAndEveryDocumentedRouteIsThere(t *testing.T) {
	c := loadContract(t)
	var table, documented []string
	for _, r := range newFixture(t).face.Table() {
		table = append(table, fmt.Sprintf("%s %s %s", r.Method, r.Path, r.Need))
	}
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			documented = append(documented, fmt.Sprintf("%s %s %v", method, path, op.Extensions["x-role"]))
		}
	}
	slices.Sort(table)
	slices.Sort(documented)
	if !slices.Equal(table, documented) {
		t.Errorf("routes:\n%s\nopenapi.yaml:\n%s", strings.Join(table, "\n"), strings.Join(documented, "\n"))
	}
}

func TestDocumentedSecurityFitsTheRole(t *testing.T) {
	for path, item := range loadContract(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security == nil {
				t.Errorf("%s %s says nothing of security", method, path)
				continue
			}
			var schemes []string
			for _, s := range *op.Security {
				for name := range s {
					schemes = append(schemes, name)
				}
			}
			want := "bearer"
			if op.Extensions["x-role"] == handlers.Anyone.String() {
				want = ""
			}
			if strings.HasPrefix(path, "/v1/hooks/") {
				want = "standardWebhooks"
				if path != "/v1/hooks/{source}" || method == http.MethodGet {
					want = "sourceProof"
				}
			}
			if got := strings.Join(schemes, " "); got != want {
				t.Errorf("%s %s: security %q, want %q", method, path, got, want)
			}
		}
	}
}

func TestDocumentedListsAreThoseOfTheCode(t *testing.T) {
	events := append([]string{schemas.CallbackFinal}, texts(schemas.TaskStatuses())...)
	for name, want := range map[string][]string{
		"TaskStatus": texts(schemas.TaskStatuses()), "EnforcementStatus": texts(schemas.EnforcementStatuses()),
		"Code": texts(schemas.Codes()), "EventType": texts(schemas.EventTypes()), "CallbackEvent": events,
		"CallbackState": texts([]schemas.CallbackState{schemas.CallbackPending, schemas.CallbackDelivered, schemas.CallbackDead}),
		"AccountType":   texts(schemas.AccountTypes()), "Decision": texts(schemas.Decisions()), "Topic": texts(schemas.Topics()),
		"FindingState": texts(schemas.FindingStates()), "SightingState": texts(schemas.SightingStates()),
		"Permission": texts([]schemas.Permission{schemas.PermissionGranted, schemas.PermissionNotGranted}),
		"Origin":     texts([]schemas.Origin{schemas.OriginNative, schemas.OriginSynced, schemas.OriginFederated, schemas.OriginGuest, schemas.OriginService}),
	} {
		var got []string
		for _, v := range component(t, name).Enum {
			got = append(got, fmt.Sprint(v))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: documented %v, want %v", name, got, want)
		}
	}
	steps := []schemas.StepName{schemas.StepResolve, schemas.StepClassify, schemas.StepPreflight, schemas.StepReset, schemas.StepRevoke, schemas.StepVerify}
	if got := component(t, "Step").Properties["name"].Value.Enum; fmt.Sprint(got) != fmt.Sprint(steps) {
		t.Errorf("steps: documented %v, want %v", got, steps)
	}
}

func TestDocumentedFieldsAreThoseOfTheCode(t *testing.T) {
	for _, v := range []any{schemas.Delivery{}, schemas.Request{}, schemas.Account{}, schemas.CallbackRequest{}, schemas.Task{}, schemas.CallbackPlan{},
		schemas.Enforcement{}, schemas.Step{}, schemas.Identity{}, schemas.Evidence{}, schemas.Event{}, schemas.Callback{}, schemas.Attempt{},
		schemas.CallbackMessage{}, schemas.Problem{}, schemas.FieldError{}, schemas.System{}, schemas.SystemList{}, schemas.PermissionState{},
		schemas.PermissionRequest{}, schemas.PermissionChange{}, schemas.Check{}, schemas.Finding{}, schemas.AccountReport{}, schemas.Sighting{},
		schemas.Profile{}, schemas.SourceList{}, schemas.SourceState{}, schemas.SourceLimits{}, schemas.SourceCounts{}} {
		typ := reflect.TypeOf(v)
		compareFields(t, typ, component(t, typ.Name()))
	}
	compareFields(t, reflect.TypeFor[schemas.Accepted](), component(t, "Event").Properties["accepted"].Value)
}

// compareFields demands the same names on both sides, and that exactly what the code always writes is required. What the
// reader demands of a request is not told by its tags, so that requests are left out of the second half.
func compareFields(t *testing.T, typ reflect.Type, s *openapi3.Schema) {
	t.Helper()
	var names, always []string
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		names = append(names, name)
		if options == "" {
			always = append(always, name)
		}
	}
	var documented []string
	for name := range s.Properties {
		documented = append(documented, name)
	}
	required := slices.Clone(s.Required)
	for _, l := range [][]string{names, always, documented, required} {
		slices.Sort(l)
	}
	if !slices.Equal(names, documented) {
		t.Errorf("%s: documented %v, the code has %v", typ.Name(), documented, names)
	}
	if typ != reflect.TypeFor[schemas.Problem]() && !slices.Equal(always, required) {
		t.Errorf("%s: required %v, the code always writes %v", typ.Name(), required, always)
	}
}

func TestDocumentedBoundsAreThoseOfTheCode(t *testing.T) {
	op := loadContract(t).doc.Paths.Value("/v1/tasks").Get
	limit := op.Parameters.GetByInAndName("query", "limit").Schema.Value
	if *limit.Max != schemas.MaxPage || *limit.Min != 1 || fmt.Sprint(limit.Default) != fmt.Sprint(schemas.DefaultPage) {
		t.Errorf("limit: %v to %v, default %v", *limit.Min, *limit.Max, limit.Default)
	}
	if q := op.Parameters.GetByInAndName("query", "q").Schema.Value; *q.MaxLength != schemas.MaxAccountBytes {
		t.Errorf("q: %d", *q.MaxLength)
	}
	if list := component(t, "Delivery").Properties["data"].Value.OneOf[1].Value; *list.MaxItems != schemas.MaxRequests {
		t.Errorf("a batch: %d", *list.MaxItems)
	}
	text := string(schemas.OpenAPI())
	for _, want := range []string{fmt.Sprintf("%d KiB", handlers.MaxBody>>10), fmt.Sprintf("at most %ds", handlers.MaxWait/time.Second),
		fmt.Sprintf("within %d s", handlers.ReadTimeout/time.Second)} {
		if !strings.Contains(text, want) {
			t.Errorf("openapi.yaml does not say %q", want)
		}
	}
}

func TestCallbackMessageIsAsDocumented(t *testing.T) {
	body, err := schemas.Encode(richTask().Message())
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if p := schemas.Decode(body, &v); p != nil {
		t.Fatal(p)
	}
	if err := component(t, "CallbackMessage").VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAPIDocumentIsServed(t *testing.T) {
	a := newFixture(t).call("GET", "/openapi.yaml", "", "")
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/yaml" || a.body != string(schemas.OpenAPI()) {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
}

func component(t *testing.T, name string) *openapi3.Schema {
	t.Helper()
	s := loadContract(t).doc.Components.Schemas[name]
	if s == nil {
		t.Fatalf("openapi.yaml has no schema %s", name)
	}
	return s.Value
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
