package googleworkspace_test

import (
	"testing"

	"github.com/resetd/resetd/schemas"
)

// The units of the imitation: / has the id 03ph8a2z0, /staff 03ph8a2z1, /staff/sales 03ph8a2z2, /staff-of-old 03ph8a2z3.
func forUnit(id, mode string) map[string]any {
	return map[string]any{"name": "inboundSsoAssignments/" + id, "customer": "customers/C01abc23d", "targetOrgUnit": "orgUnits/" + id, "ssoMode": mode}
}

func forGroup(id, mode string, rank int) map[string]any {
	return map[string]any{"name": "inboundSsoAssignments/" + id, "customer": "customers/C01abc23d", "targetGroup": "groups/" + id, "ssoMode": mode, "rank": rank}
}

func TestWhoSignsInIsDetected(t *testing.T) {
	t.Parallel()
	never := forUnit("03ph8a2z0", "SAML_SSO")
	never["signInBehavior"] = map[string]any{"redirectCondition": "NEVER"}
	for name, one := range map[string]struct {
		sso    []map[string]any
		unit   string
		groups []string
		super  bool
		want   schemas.Origin
		code   schemas.Code
	}{
		"nothing is assigned":                 {unit: "/staff", want: schemas.OriginNative},
		"the whole customer":                  {sso: []map[string]any{forUnit("03ph8a2z0", "SAML_SSO")}, unit: "/staff/sales", want: schemas.OriginFederated},
		"by OpenID Connect":                   {sso: []map[string]any{forUnit("03ph8a2z0", "OIDC_SSO")}, unit: "/", want: schemas.OriginFederated},
		"the unit above":                      {sso: []map[string]any{forUnit("03ph8a2z1", "SAML_SSO")}, unit: "/staff/sales", want: schemas.OriginFederated},
		"a unit whose name begins so":         {sso: []map[string]any{forUnit("03ph8a2z1", "SAML_SSO")}, unit: "/staff-of-old", want: schemas.OriginNative},
		"the nearer unit is an exception":     {sso: []map[string]any{forUnit("03ph8a2z0", "SAML_SSO"), forUnit("03ph8a2z2", "SSO_OFF")}, unit: "/staff/sales", want: schemas.OriginNative},
		"a group goes before the unit":        {sso: []map[string]any{forUnit("03ph8a2z0", "SSO_OFF"), forGroup("g1", "SAML_SSO", 1)}, unit: "/", groups: []string{"g1"}, want: schemas.OriginFederated},
		"a group of others":                   {sso: []map[string]any{forGroup("g1", "SAML_SSO", 1)}, unit: "/", want: schemas.OriginNative},
		"groups that agree":                   {sso: []map[string]any{forGroup("g1", "SAML_SSO", 1), forGroup("g2", "OIDC_SSO", 2)}, unit: "/", groups: []string{"g1", "g2"}, want: schemas.OriginFederated},
		"groups that do not":                  {sso: []map[string]any{forGroup("g1", "SAML_SSO", 1), forGroup("g2", "SSO_OFF", 2)}, unit: "/", groups: []string{"g1", "g2"}, code: schemas.CodeConflict},
		"a group of other domains":            {sso: []map[string]any{forGroup("abroad", "SAML_SSO", 1)}, unit: "/", code: schemas.CodeConflict},
		"Google asks all the same":            {sso: []map[string]any{never}, unit: "/", want: schemas.OriginNative},
		"a super administrator":               {sso: []map[string]any{forUnit("03ph8a2z0", "SAML_SSO")}, unit: "/", super: true, want: schemas.OriginNative},
		"a profile that no interface shows":   {sso: []map[string]any{forUnit("03ph8a2z0", "DOMAIN_WIDE_SAML_IF_ENABLED")}, unit: "/", code: schemas.CodePermissionMissing},
		"a unit that is new":                  {sso: []map[string]any{forUnit("03ph8a2z0", "SAML_SSO")}, unit: "/made-just-now", code: schemas.CodeUnavailable},
		"a mode that is not known here (yet)": {sso: []map[string]any{{"targetOrgUnit": "orgUnits/03ph8a2z0", "customer": "customers/C01abc23d"}}, unit: "/", code: schemas.CodePermissionMissing},
	} {
		t.Run(name, func(t *testing.T) {
			g, c := plain(t, detecting)
			g.sso = one.sso
			a := g.add("jdoe@example.com")
			a.unit, a.super = one.unit, one.super
			for _, group := range one.groups {
				g.members[group] = append(g.members[group], a.id)
			}
			got, err := c.Classify(t.Context(), idOf(a))
			if schemas.CodeOf(err) != orOK(one.code) || got.Origin != one.want {
				t.Fatalf("%q (%v), want %q by %s", got.Origin, err, one.want, orOK(one.code))
			}
			_, err = c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
			if ok := err == nil; ok != (one.want == schemas.OriginNative && !one.super) {
				t.Errorf("Reset: %v", err)
			}
		})
	}
}

func orOK(c schemas.Code) schemas.Code {
	if c == "" {
		return schemas.CodeOK
	}
	return c
}

func TestProbeSaysWhatDetectingLacks(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		breaks func(*google)
		word   string
	}{
		"the privilege": {func(g *google) {
			g.roles["11"] = role{privileges: withoutOne(g.roles["11"].privileges, "INBOUND_SSO_SETTINGS")}
		}, "Inbound SSO settings"},
		"a profile that no interface shows": {func(g *google) { g.sso = []map[string]any{forUnit("03ph8a2z0", "DOMAIN_WIDE_SAML_IF_ENABLED")} }, "third_party_idp: always or never"},
	} {
		t.Run(name, func(t *testing.T) {
			g, c := plain(t, detecting)
			one.breaks(g)
			got, err := c.Probe(t.Context())
			if err != nil || len(got.Missing) != 1 {
				t.Fatalf("%q (%v), want one thing missing", got.Missing, err)
			}
			wantWords(t, got.Missing[0], one.word)
		})
	}
}

// A token is refused altogether for a scope that is not delegated, so none is asked for without need.
func TestScopesForDetectingAreAskedForOnlyThen(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.delegated = allScopes[:3]
	url := g.door(t, nil)
	a := g.add("jdoe@example.com")
	if _, err := open(t, configOf(url)).Classify(t.Context(), idOf(a)); err != nil {
		t.Error(err)
	}
	_, err := open(t, configOf(url, detecting)).Classify(t.Context(), idOf(a))
	wantWords(t, wantCode(t, err, schemas.CodeBadCredentials), append([]string{"Domain-wide delegation", serviceID}, allScopes...)...)
}

func withoutOne(list []string, drop string) (out []string) {
	for _, one := range list {
		if one != drop {
			out = append(out, one)
		}
	}
	return out
}
