package entra

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Revoke makes every refresh token and browser session of the account void, also of synced and federated accounts.
func (t *tenant) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	u, f := t.byID(ctx, id.ID)
	if f != nil {
		return schemas.Receipt{}, f
	}
	origin, why, f := t.origin(ctx, u)
	switch {
	case f != nil:
		return schemas.Receipt{}, f
	case origin == schemas.OriginGuest:
		return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "Entra cannot end the sessions of a guest (" + why +
			"): they are the home organisation's; block the sign-in here if access must end now"}, nil
	}
	a, f := t.change(ctx, rest.Call{Method: http.MethodPost, Path: "/users/" + segment(u.ID) + "/revokeSignInSessions", Doing: "ending the sessions"})
	switch {
	case f != nil && a != nil && a.Status == http.StatusForbidden && f.Code == schemas.CodePermissionMissing:
		return schemas.Receipt{}, t.denied(ctx, u, f, revokeRight)
	case f != nil:
		return schemas.Receipt{}, f
	}
	var got struct {
		Value *bool `json:"value"`
	}
	switch readable := json.Unmarshal(a.Body, &got) == nil; {
	case a.Status == http.StatusNoContent:
	case !readable || got.Value == nil:
		return schemas.Receipt{}, t.rest.Failure(a, schemas.CodeTimedOut, "the answer is none of Graph's, so whether it was done is not known; see what stands between resetd and Graph")
	case !*got.Value:
		return schemas.Receipt{}, t.rest.Failure(a, schemas.CodeUnexpected, "Graph answers that the sessions were not ended; end them in the Entra admin centre")
	}
	const done = "refresh tokens and browser sessions are void; access tokens that are out run on for up to an hour unless the application asks again"
	after, f := t.byID(ctx, id.ID)
	if f == nil && (after.SessionsFrom.After(u.SessionsFrom) || !after.SessionsFrom.Before(clockOf(a))) {
		return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; signInSessionsValidFromDateTime shows it"}, nil
	}
	// Graph has said that it is done; the record follows within minutes.
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; signInSessionsValidFromDateTime does not show it yet, which may take minutes"}, nil
}
