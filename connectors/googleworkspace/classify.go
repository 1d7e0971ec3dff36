package googleworkspace

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Classify reads what the account is, and who signs it in.
func (w *workspace) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	u, f := w.read(ctx, id.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	origin, why, f := w.origin(ctx, u)
	if f != nil {
		return schemas.Class{}, f
	}
	words := []string{why}
	for _, one := range []struct {
		holds bool
		text  string
	}{
		{u.SuperAdmin, "is a super administrator"}, {u.Admin, "is an administrator by a role"},
		{u.Suspended, "is suspended"}, {u.Archived, "is archived"},
	} {
		if one.holds {
			words = append(words, one.text)
		}
	}
	e := w.evidence(u)
	w.memory.handed(u.ID, e)
	return schemas.Class{Origin: origin, Privileged: u.SuperAdmin || u.Admin, Enabled: !u.Suspended && !u.Archived,
		Evidence: e, Why: strings.Join(words, "; ")}, nil
}

// origin tells where the account's password lives, and how that is known.
func (w *workspace) origin(ctx context.Context, u user) (schemas.Origin, string, *schemas.Failure) {
	if u.Guest {
		return schemas.OriginGuest, "a guest, whose password is with another organisation", nil
	}
	elsewhere, why, f := w.idps.signIn(ctx, u)
	switch {
	case f != nil:
		return "", "", f
	case elsewhere:
		return schemas.OriginFederated, why, nil
	}
	return schemas.OriginNative, why, nil
}
