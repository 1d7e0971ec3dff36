package googleworkspace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Revoke ends the user's sessions first, and then takes away what would let somebody in without the password. Every part is
// tried even when another fails; what was done and what was not is told in one failure.
func (w *workspace) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	u, f := w.read(ctx, id.ID)
	if f != nil {
		return schemas.Receipt{}, f
	}
	var done, left []string
	var first *schemas.Failure
	for _, part := range []struct {
		on   bool
		what string
		do   func(context.Context, user) (string, *schemas.Failure)
	}{
		{true, "the sessions", w.signOut},
		{w.config.RevokeTokens, "what applications were allowed", w.revokeTokens},
		{w.config.RevokeAppPasswords, "the app passwords", w.revokeAppPasswords},
		{w.config.RevokeBackupCodes, "the backup codes", w.revokeBackupCodes},
	} {
		if !part.on {
			continue
		}
		text, f := part.do(ctx, u)
		if f == nil {
			done = append(done, text)
			continue
		}
		left = append(left, part.what)
		if first == nil {
			first = f
		}
	}
	if first == nil {
		return schemas.Receipt{Code: schemas.CodeOK, Detail: strings.Join(done, "; ")}, nil
	}
	first.Detail += "; not taken away: " + strings.Join(left, ", ")
	if len(done) > 0 {
		first.Detail += "; done: " + strings.Join(done, ", ")
	}
	return schemas.Receipt{}, first
}

// signOut ends all sessions on the web and on devices.
func (w *workspace) signOut(ctx context.Context, u user) (string, *schemas.Failure) {
	return "all sessions were ended", w.take(ctx, u, http.MethodPost, "ending the sessions", "signOut")
}

// revokeTokens takes back what the user has allowed to applications.
func (w *workspace) revokeTokens(ctx context.Context, u user) (string, *schemas.Failure) {
	var got struct {
		Items []struct {
			Client string `json:"clientId"`
		} `json:"items"`
	}
	if f := w.look(ctx, u, "reading what applications were allowed", &got, "items(clientId)", "tokens"); f != nil {
		return "", f
	}
	for _, one := range got.Items {
		if f := w.take(ctx, u, http.MethodDelete, "taking back what an application was allowed", "tokens", one.Client); f != nil {
			return "", f
		}
	}
	return fmt.Sprintf("%d applications lost access", len(got.Items)), nil
}

// revokeAppPasswords deletes the passwords of applications, which go round 2-step verification.
func (w *workspace) revokeAppPasswords(ctx context.Context, u user) (string, *schemas.Failure) {
	var got struct {
		Items []struct {
			Code int `json:"codeId"`
		} `json:"items"`
	}
	if f := w.look(ctx, u, "reading the app passwords", &got, "items(codeId)", "asps"); f != nil {
		return "", f
	}
	for _, one := range got.Items {
		if f := w.take(ctx, u, http.MethodDelete, "deleting an app password", "asps", strconv.Itoa(one.Code)); f != nil {
			return "", f
		}
	}
	return fmt.Sprintf("%d app passwords were deleted", len(got.Items)), nil
}

// revokeBackupCodes invalidates the codes that take the place of the second step.
func (w *workspace) revokeBackupCodes(ctx context.Context, u user) (string, *schemas.Failure) {
	return "the backup codes were invalidated", w.take(ctx, u, http.MethodPost, "invalidating the backup codes", "verificationCodes", "invalidate")
}

// look reads a list below the user, and of it the fields that are needed: an application may have a hundred scopes.
func (w *workspace) look(ctx context.Context, u user, doing string, into any, fields string, below ...string) *schemas.Failure {
	a, f := w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: userPath(u.ID, below...), Query: url.Values{"fields": {fields}}, Into: into, Doing: doing})
	if f != nil {
		return w.denied(a, f, u)
	}
	return nil
}

// take makes a call that takes something away. What is no longer there was taken already.
func (w *workspace) take(ctx context.Context, u user, method, doing string, below ...string) *schemas.Failure {
	a, f := w.api.Do(ctx, rest.Call{Method: method, Path: userPath(u.ID, below...), Doing: doing})
	switch {
	case f == nil, method == http.MethodDelete && a != nil && f.Code == schemas.CodeAccountNotFound:
		return nil
	}
	return w.denied(a, f, u)
}
