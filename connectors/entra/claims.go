package entra

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// claims is what a token for Graph says about ourselves. Microsoft calls these tokens opaque, so nothing depends on them
// alone: they are a hint for the probe (https://learn.microsoft.com/entra/identity-platform/access-tokens).
type claims struct {
	// Roles are the application permissions, and WIDs the template ids of the directory roles that hold for the whole tenant.
	Roles []string `json:"roles"`
	WIDs  []string `json:"wids"`
	// OID is the object id of our service principal.
	OID string `json:"oid"`
}

// claimsOf reads them without checking the signature; they are empty if the token is not a JWT.
func claimsOf(token string) (c claims) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		return claims{}
	}
	return c
}

// readable tells whether the token said anything.
func (c claims) readable() bool { return c.OID != "" }
