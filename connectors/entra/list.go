package entra

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// The two kinds of filters. Advanced ones are answered by another index, which must be asked for
// (https://learn.microsoft.com/graph/aad-advanced-queries).
const (
	basic    = false
	advanced = true
)

// page is one page of a list.
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// empty is the failure for an answer without a list: an empty one is there all the same, so this is none of Graph's, and that
// nothing was found must not be concluded from it. It is nil for a list.
func (t *tenant) empty(there bool, doing string) *schemas.Failure {
	if there {
		return nil
	}
	return schemas.Fail(schemas.CodeUnavailable, "%s at Microsoft Graph (%s): the answer holds no list; see whether base_url is right and what stands between", doing, t.env.System)
}

// list gives the accounts that a filter finds and that carry the name still: each is read again by its id. Two are enough
// to know that a name is ambiguous; of a down-level name the domain is compared here, so more are asked for.
func (t *tenant) list(ctx context.Context, filter string, kind bool, match func(*user) bool) ([]*user, *schemas.Failure) {
	call := rest.Call{Method: http.MethodGet, Path: "/users", Doing: "looking the account up",
		Query: url.Values{"$filter": {filter}, "$select": {"id"}, "$top": {"2"}}}
	if kind {
		call.Query.Set("$top", "20")
		call.Query.Set("$count", "true")
		call.Header = http.Header{"Consistencylevel": {"eventual"}}
	}
	var hits page[struct {
		ID string `json:"id"`
	}]
	call.Into = &hits
	if _, f := t.rest.Do(ctx, call); f != nil {
		if f.Code == schemas.CodePermissionMissing {
			f.Detail += "; " + grantRead
		}
		return nil, f
	}
	if f := t.empty(hits.Value != nil, call.Doing); f != nil {
		return nil, f
	}
	var out []*user
	for _, hit := range hits.Value {
		u, f := t.byID(ctx, hit.ID)
		switch {
		case f != nil && f.Code == schemas.CodeAccountNotFound:
		case f != nil:
			return nil, f
		case match(u):
			out = append(out, u)
		}
	}
	if hits.Next != "" && len(out) < 2 {
		return nil, schemas.Fail(schemas.CodeAccountAmbiguous, "more accounts of the tenant (%s) have this name than can be told apart; name the object id", t.env.System)
	}
	return out, nil
}

// quote makes a string literal of OData (OData 4.01 ABNF: a quote is doubled).
func quote(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }

// same compares names without case, but never a letter of ASCII with one that merely folds to it, such as the sign for
// Kelvin with k: that would be somebody else's name.
func same(a, b string) bool {
	for a != "" && b != "" {
		r, n := utf8.DecodeRuneInString(a)
		s, m := utf8.DecodeRuneInString(b)
		if (r < utf8.RuneSelf) != (s < utf8.RuneSelf) || !strings.EqualFold(a[:n], b[:m]) {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}
