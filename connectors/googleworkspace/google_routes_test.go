package googleworkspace_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// route carries out what the method asks for. It gives the answer, nil for one without a body.
func (g *google) route(who actor, r *http.Request, body []byte) (any, *problem) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if path[0] == "v1" {
		if !who.may("INBOUND_SSO_SETTINGS") {
			return nil, &problem{status: 403, body: `{"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"forbidden"}]}}`}
		}
		if len(g.sso) == 0 {
			return map[string]any{}, nil
		}
		return map[string]any{"inboundSsoAssignments": g.sso}, nil
	}
	switch path = path[3:]; {
	case path[0] == "users" && len(path) == 1:
		return g.listUsers(who)
	case path[0] == "users":
		return g.routeUser(who, r, path[1:], body)
	case path[0] == "groups":
		if path[1] == "abroad" {
			return nil, &problem{status: 400, reason: "invalid", message: "Invalid Input: memberKey"}
		}
		in := slices.Contains(g.members[path[1]], path[3])
		return map[string]any{"isMember": in}, nil
	}
	switch path = path[2:]; {
	case path[0] == "orgunits":
		var units []map[string]any
		for i, one := range []string{"/", "/staff", "/staff/sales", "/staff-of-old"} {
			units = append(units, map[string]any{"kind": "admin#directory#orgUnit", "orgUnitPath": one, "orgUnitId": "id:03ph8a2z" + strconv.Itoa(i)})
		}
		return map[string]any{"kind": "admin#directory#orgUnits", "organizationUnits": units}, nil
	case g.hidesRoles && !who.super:
		return nil, forbidden
	case path[0] == "roleassignments":
		return g.listAssignments(r)
	case path[1] == "ALL":
		return privilegeTree, nil
	}
	one, ok := g.roles[path[1]]
	if !ok {
		return nil, &problem{status: 404, reason: "notFound", message: "Role not found"}
	}
	held := []any{}
	for _, p := range one.privileges {
		held = append(held, map[string]any{"privilegeName": p, "serviceId": "00haapch16h1ysv"})
	}
	return map[string]any{"kind": "admin#directory#role", "roleId": path[1], "roleName": one.name, "isSuperAdminRole": one.super, "rolePrivileges": held}, nil
}

// privilegeTree is the part of Google's tree of privileges that matters here.
var privilegeTree = map[string]any{"kind": "admin#directory#privileges", "items": []any{
	branch("USERS_ALL", branch("USERS_CREATE"), branch("USERS_RETRIEVE"), branch("USERS_DELETE"), branch(customPrivilege),
		branch("USERS_UPDATE", branch("USERS_ALIAS"), branch("USERS_MOVE"), branch("USERS_RESET_PASSWORD"), branch("USERS_FORCE_PASSWORD_CHANGE"), branch("USERS_SUSPEND"))),
	branch("USER_SECURITY_ALL"),
	branch("ORGANIZATION_UNITS_ALL", branch("ORGANIZATION_UNITS_RETRIEVE"), branch("ORGANIZATION_UNITS_UPDATE")),
}}

func branch(name string, below ...any) map[string]any {
	out := map[string]any{"kind": "admin#directory#privilege", "serviceId": "00haapch16h1ysv", "serviceName": "admin_apis", "privilegeName": name}
	if len(below) > 0 {
		out["childPrivileges"] = below
	}
	return out
}

func (g *google) listUsers(who actor) (any, *problem) {
	if !who.may("USERS_RETRIEVE") {
		return nil, forbidden
	}
	first := slices.Min(slices.Collect(maps.Keys(g.people)))
	return map[string]any{"kind": "admin#directory#users", "users": []any{g.people[first].shown()}}, nil
}

// listAssignments answers with an empty page first, as Google says that it may.
func (g *google) listAssignments(r *http.Request) (any, *problem) {
	query := r.URL.Query()
	if query.Get("pageToken") == "" {
		return map[string]any{"kind": "admin#directory#roleAssignments", "nextPageToken": "more"}, nil
	}
	to := ""
	if key := query.Get("userKey"); key != "" {
		a := g.find(key)
		if a == nil {
			return nil, notFound
		}
		to = a.id
	}
	items := []any{}
	for i, one := range g.assignments {
		if to == "" || one.to == to {
			items = append(items, map[string]any{"kind": "admin#directory#roleAssignment", "roleAssignmentId": strconv.Itoa(1000 + i), "roleId": one.role,
				"assignedTo": one.to, "assigneeType": "user", "scopeType": "CUSTOMER"})
		}
	}
	return map[string]any{"kind": "admin#directory#roleAssignments", "items": items}, nil
}

// routeUser serves a user and what is below.
func (g *google) routeUser(who actor, r *http.Request, path []string, body []byte) (any, *problem) {
	if !who.may("USERS_RETRIEVE") {
		return nil, forbidden
	}
	a := g.find(path[0])
	if a == nil {
		return nil, notFound
	}
	switch {
	case len(path) == 1 && r.Method == http.MethodGet:
		if time.Now().Before(a.seenUntil) {
			return a.seen, nil
		}
		out := a.shown()
		if r.URL.Query().Get("projection") != "custom" {
			delete(out, "customSchemas")
		}
		return out, nil
	case (a.super || a.delegated) && !who.super:
		return nil, forbidden
	case len(path) == 1:
		return g.update(who, a, body)
	case !who.may("USER_SECURITY_ALL"):
		return nil, forbidden
	}
	return a.below(r, path[1:])
}

// update is users.update: what is not named stays.
func (g *google) update(who actor, a *account, body []byte) (any, *problem) {
	var in struct {
		Password   *string                      `json:"password"`
		MustChange *bool                        `json:"changePasswordAtNextLogin"`
		Custom     map[string]map[string]string `json:"customSchemas"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &problem{status: 400, reason: "parseError", message: "Parse Error"}
	}
	if in.Password != nil {
		g.passwords = append(g.passwords, *in.Password)
	}
	switch {
	case in.Password != nil && !who.may("USERS_RESET_PASSWORD"), in.MustChange != nil && !who.may("USERS_FORCE_PASSWORD_CHANGE"),
		in.Custom != nil && !who.may(customPrivilege):
		return nil, forbidden
	case in.Password != nil && (len(*in.Password) < 8 || len(*in.Password) > 100 || g.weak > 0):
		g.weak--
		return nil, &problem{status: 400, reason: "invalid", message: "Invalid Password: " + *in.Password}
	}
	if g.lag > 0 {
		a.seen, a.seenUntil = a.shown(), time.Now().Add(g.lag)
	}
	if in.Password != nil {
		a.password = *in.Password
	}
	if in.MustChange != nil && !g.ignoresFlag {
		a.mustChange = *in.MustChange
	}
	for name, attributes := range in.Custom {
		a.custom[name] = maps.Clone(attributes)
	}
	return a.shown(), nil
}

// below serves sessions, tokens, app passwords and backup codes.
func (a *account) below(r *http.Request, path []string) (any, *problem) {
	switch {
	case path[0] == "signOut":
		a.sessions = 0
	case path[0] == "verificationCodes":
		a.backupCodes = false
	case path[0] == "tokens" && r.Method == http.MethodGet:
		items := []any{}
		for _, one := range a.clients {
			items = append(items, map[string]any{"kind": "admin#directory#token", "clientId": one, "userKey": a.id, "scopes": []string{"https://mail.google.com/"}})
		}
		return map[string]any{"kind": "admin#directory#tokenList", "items": items}, nil
	case path[0] == "tokens":
		i := slices.Index(a.clients, path[1])
		if i < 0 {
			return nil, &problem{status: 404, reason: "notFound", message: "Token not found"}
		}
		a.clients = slices.Delete(slices.Clone(a.clients), i, i+1)
	case r.Method == http.MethodGet:
		items := []any{}
		for _, one := range a.asps {
			items = append(items, map[string]any{"kind": "admin#directory#asp", "codeId": one, "userKey": a.id, "creationTime": "1660000000"})
		}
		return map[string]any{"kind": "admin#directory#aspList", "items": items}, nil
	default:
		i := slices.IndexFunc(a.asps, func(code int) bool { return strconv.Itoa(code) == path[1] })
		if i < 0 {
			return nil, &problem{status: 404, reason: "notFound", message: "Asp not found"}
		}
		a.asps = slices.Delete(slices.Clone(a.asps), i, i+1)
	}
	return nil, nil
}
