package googleworkspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// idpsFresh is how long the assignments of identity providers are believed. They change when an administrator changes them.
const idpsFresh = time.Minute

// known gives the assignments and, if one of them is for a unit, the units.
func (i *idps) known(ctx context.Context) ([]assignment, map[string]string, *schemas.Failure) {
	i.mu.Lock()
	all, units, fresh := i.all, i.units, time.Now().Before(i.until)
	i.mu.Unlock()
	if fresh {
		return all, units, nil
	}
	all, f := i.list(ctx)
	if f != nil {
		return nil, nil, f
	}
	units = nil
	if slices.ContainsFunc(all, func(a assignment) bool { return a.Unit != "" }) {
		if units, f = i.tree(ctx); f != nil {
			return nil, nil, f
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all, i.units, i.until = all, units, time.Now().Add(idpsFresh)
	return all, units, nil
}

// forget drops what is believed of the assignments and the units.
func (i *idps) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.until = time.Time{}
}

// maxPages bounds what is read of a list, against a server that never comes to an end.
const maxPages = 100

// list reads the assignments.
func (i *idps) list(ctx context.Context) (all []assignment, f *schemas.Failure) {
	query := url.Values{"pageSize": {"100"}}
	if i.config.Customer != myCustomer {
		query.Set("filter", "customer==customers/"+i.config.Customer)
	}
	for range maxPages {
		var page struct {
			Assignments []assignment `json:"inboundSsoAssignments"`
			Next        string       `json:"nextPageToken"`
		}
		_, f = i.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/inboundSsoAssignments", Query: query, Into: &page, Doing: "reading who signs people in"})
		if f != nil {
			if f.Code == schemas.CodePermissionMissing {
				f.Detail += "; it takes the privilege Security > Security settings > Inbound SSO settings and the Cloud Identity API; or write third_party_idp: always or never"
			}
			return nil, f
		}
		all = append(all, page.Assignments...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("pageToken", page.Next)
	}
	return nil, i.endless("reading who signs people in")
}

// tree reads the organisational units.
func (i *idps) tree(ctx context.Context) (map[string]string, *schemas.Failure) {
	var got struct {
		Units []struct {
			ID   string `json:"orgUnitId"`
			Path string `json:"orgUnitPath"`
		} `json:"organizationUnits"`
	}
	_, f := i.workspace.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/admin/directory/v1/customer/" + url.PathEscape(i.config.Customer) + "/orgunits",
		Query: url.Values{"type": {"allIncludingParent"}, "fields": {"organizationUnits(orgUnitId,orgUnitPath)"}}, Into: &got, Doing: "reading the organisational units"})
	if f != nil {
		return nil, f
	}
	units := map[string]string{}
	for _, one := range got.Units {
		units[one.Path] = strings.TrimPrefix(one.ID, "id:")
	}
	return units, nil
}

// member asks whether a user is in a group, directly or through another.
func (i *idps) member(ctx context.Context, group string, u user) (bool, *schemas.Failure) {
	var got struct {
		In bool `json:"isMember"`
	}
	a, f := i.workspace.api.Do(ctx, rest.Call{Method: http.MethodGet, Into: &got, Doing: "asking whether the user is in a group",
		Path: "/admin/directory/v1/groups/" + url.PathEscape(group) + "/hasMember/" + url.PathEscape(u.ID)})
	if f != nil && a != nil && a.Status == http.StatusNotFound {
		return false, nil // a group that is gone has nobody in it
	}
	switch {
	case f != nil && a != nil && a.Status == http.StatusBadRequest:
		// So Google answers where a group within the group is of another domain.
		f = schemas.Fail(schemas.CodeConflict, "whether %s (%s) is in the group %s, to which an SSO profile is given, cannot be told: Google does not look through groups of other domains; "+
			"nothing was changed; give the profile to organisational units, or write third_party_idp: always or never", u.Primary, i.env.System, group)
	case f != nil && f.Code == schemas.CodePermissionMissing:
		f.Detail += "; it takes the privilege Groups > Read"
	}
	return got.In, f
}

// endless is the failure for a list whose pages go on and on.
func (w *workspace) endless(doing string) *schemas.Failure {
	return schemas.Fail(schemas.CodeUnexpected, "%s at %s (%s): the list does not come to an end; please report this", doing, product, w.env.System)
}
