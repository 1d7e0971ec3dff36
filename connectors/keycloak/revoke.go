package keycloak

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// tokensLive is what no log-out ends.
const tokensLive = "access tokens that were handed out are good until they expire (minutes, as a rule) wherever an application checks them by itself"

// Revoke ends the account's sessions, and the offline sessions, which a log-out leaves in place: it makes their tokens stale,
// but by whole seconds, so one of that very second would go on. It looks whether all are gone.
func (r *realm) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	got, f := r.revoke(ctx, id.ID)
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

func (r *realm) revoke(ctx context.Context, id string) (schemas.Receipt, *schemas.Failure) {
	if _, f := r.user(ctx, id); f != nil {
		return schemas.Receipt{}, f
	}
	if _, f := r.api.Do(ctx, rest.Call{Method: http.MethodPost, Path: r.at(id) + "/logout", Doing: "ending the sessions"}); f != nil {
		return schemas.Receipt{}, f
	}
	at := r.clock()
	offline, f := r.offline(ctx, id)
	if f != nil {
		return schemas.Receipt{}, f
	}
	if len(offline) > 0 && !r.config.RevokeOffline {
		return r.ended(ctx, id, at, fmt.Sprintf("; offline sessions at %d applications stay, because revoke_offline is false, but Keycloak takes no token of theirs from before the log-out", len(offline)))
	}
	for _, client := range offline {
		answer, f := r.api.Do(ctx, rest.Call{
			Method: http.MethodDelete, Path: r.at(id) + "/consents/" + url.PathEscape(client), Doing: "ending the offline sessions",
		})
		if f != nil && (answer == nil || answer.Status != http.StatusNotFound) { // gone in between is as good
			return schemas.Receipt{}, f
		}
	}
	if len(offline) == 0 {
		return r.ended(ctx, id, at, "")
	}
	left, f := r.offline(ctx, id)
	switch {
	case f != nil:
		return schemas.Receipt{}, f
	case len(left) > 0:
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnavailable, "the account has offline sessions at %d applications still, or again", len(left))
	}
	return r.ended(ctx, id, at, fmt.Sprintf("; offline sessions at %d applications were ended too", len(offline)))
}

// offline lists the applications that hold offline sessions of an account.
func (r *realm) offline(ctx context.Context, id string) ([]string, *schemas.Failure) {
	var consents []struct {
		Client string           `json:"clientId"`
		Grants []map[string]any `json:"additionalGrants"` // offline tokens, of all there is
	}
	_, f := r.get(ctx, "reading the offline sessions", r.at(id)+"/consents", nil, &consents)
	var out []string
	for _, c := range consents {
		if len(c.Grants) > 0 {
			out = append(out, c.Client)
		}
	}
	return out, f
}

// ended looks whether a session from before the log-out is left. Their beginnings are in seconds, and the server's clock is
// known to about one, so a session of the last two counts as old: then the log-out is made again, which does no harm.
func (r *realm) ended(ctx context.Context, id string, before time.Time, more string) (schemas.Receipt, *schemas.Failure) {
	var sessions []struct {
		Start int64 `json:"start"` // in milliseconds since 1970
	}
	if _, f := r.get(ctx, "reading the sessions", r.at(id)+"/sessions", nil, &sessions); f != nil {
		return schemas.Receipt{}, f
	}
	for _, s := range sessions {
		if time.UnixMilli(s.Start).Before(before.Add(2 * time.Second)) {
			return schemas.Receipt{}, schemas.Fail(schemas.CodeUnavailable, "a session from before the log-out goes on")
		}
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "all sessions were ended" + more + "; " + tokensLive}, nil
}
