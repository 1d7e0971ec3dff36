package entra_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// refuse answers as Graph does (https://learn.microsoft.com/graph/errors).
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": message,
		"innerError": map[string]any{"date": "2026-11-22T00:00:00", "request-id": "3f2b1c00-0000-4000-8000-00000000beef", "client-request-id": "3f2b1c00-0000-4000-8000-00000000beef"}}})
}

func denyRights(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// graph answers one request of an application that is signed in. The path is without the version.
func (w *world) graph(out http.ResponseWriter, r *http.Request, a *app) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path, _ := strings.CutPrefix(r.URL.EscapedPath(), "/v1.0")
	var parts []string
	for _, one := range strings.Split(strings.Trim(path, "/"), "/") {
		text, err := url.PathUnescape(one)
		if err != nil {
			refuse(out, http.StatusBadRequest, "BadRequest", "bad path")
			return
		}
		parts = append(parts, text)
	}
	switch {
	case len(parts) == 1 && parts[0] == "users" && r.Method == http.MethodGet:
		w.listUsers(out, r, a)
	case len(parts) >= 2 && parts[0] == "users":
		w.oneUser(out, r, a, parts)
	case parts[0] == "domains" && r.Method == http.MethodGet:
		w.readDomains(out, a, parts)
	default:
		w.directory(out, r, a, parts)
	}
}

func (w *world) listUsers(out http.ResponseWriter, r *http.Request, a *app) {
	q := r.URL.Query()
	filter := q.Get("$filter")
	if !w.mayRead(a, q) {
		denyRights(out)
		return
	}
	if strings.Contains(filter, "onPremisesSamAccountName") && (r.Header.Get("ConsistencyLevel") != "eventual" || q.Get("$count") != "true") {
		refuse(out, http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified for property 'onPremisesSamAccountName' of resource 'User'.")
		return
	}
	top, _ := strconv.Atoi(q.Get("$top"))
	if top == 0 {
		top = 100
	}
	body := map[string]any{"value": []any{}}
	var value []any
	for _, id := range w.order {
		p := w.people[id]
		r := p.indexed()
		ok := filter == ""
		if !ok {
			var err error
			if ok, err = match(filter, r, id); err != nil {
				refuse(out, http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
				return
			}
		}
		if !ok {
			continue
		}
		if len(value) == top {
			body["@odata.nextLink"] = "https://graph.example.com/v1.0/users?$skiptoken=next"
			break
		}
		value = append(value, p.json(r, q.Get("$select")))
	}
	if value != nil {
		body["value"] = value
	}
	answer(out, body)
}

// mayRead tells whether an application may read users, and the property passwordProfile if it asks for that.
func (w *world) mayRead(a *app, q url.Values) bool {
	roles := []string{rolePasswordAdmin, rolePrivilegedAuth, roleGlobalAdmin}
	if strings.Contains(q.Get("$select"), "passwordProfile") && !a.may([]string{"User-PasswordProfile.ReadWrite.All", "User.Read.All"}) {
		return false
	}
	return a.may([]string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}, roles...)
}

func (w *world) oneUser(out http.ResponseWriter, r *http.Request, a *app, parts []string) {
	if !w.mayRead(a, r.URL.Query()) {
		denyRights(out)
		return
	}
	p := w.find(parts[1])
	switch {
	case p == nil:
		refuse(out, http.StatusNotFound, "Request_ResourceNotFound", fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", parts[1]))
	case len(parts) == 2 && r.Method == http.MethodGet:
		answer(out, p.json(p.shown(), r.URL.Query().Get("$select")))
	case len(parts) == 2 && r.Method == http.MethodPatch:
		w.patch(out, r, a, p)
	case len(parts) == 3 && parts[2] == "revokeSignInSessions" && r.Method == http.MethodPost:
		if !a.may([]string{"User.RevokeSessions.All", "User.ReadWrite.All"}, rolePrivilegedAuth, roleGlobalAdmin) || p.protects() && !a.may(nil, rolePrivilegedAuth, roleGlobalAdmin) {
			denyRights(out)
			return
		}
		w.change(p, func() { p.sessions = now() })
		answer(out, map[string]any{"value": true})
	case len(parts) == 4 && parts[2] == "transitiveMemberOf":
		w.memberships(out, r, a, p, parts[3])
	default:
		refuse(out, http.StatusBadRequest, "BadRequest", "Resource not found for the segment.")
	}
}

// now is the time as Graph keeps it, of a second's grain.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// patch sets passwordProfile.
func (w *world) patch(out http.ResponseWriter, r *http.Request, a *app, p *person) {
	var body struct {
		Profile *struct {
			Force    *bool   `json:"forceChangePasswordNextSignIn"`
			MFA      *bool   `json:"forceChangePasswordNextSignInWithMfa"`
			Password *string `json:"password"`
		} `json:"passwordProfile"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Profile == nil {
		refuse(out, http.StatusBadRequest, "BadRequest", "Empty payload.")
		return
	}
	_, domain, _ := strings.Cut(p.upn, "@")
	allowed := a.may([]string{"User-PasswordProfile.ReadWrite.All"}, rolePasswordAdmin, rolePrivilegedAuth, roleGlobalAdmin)
	switch {
	case !allowed || p.protects() && !a.may(nil, rolePrivilegedAuth, roleGlobalAdmin):
		denyRights(out)
		return
	case p.synced != nil && *p.synced:
		refuse(out, http.StatusBadRequest, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
		return
	case w.domains[domain] == "Federated":
		refuse(out, http.StatusBadRequest, "Request_BadRequest", "Property passwordProfile cannot be used for federated users.")
		return
	}
	if pw := body.Profile.Password; pw != nil {
		w.passwords = append(w.passwords, *pw)
		if w.rejects > 0 || len(*pw) > 256 || !complex(*pw) {
			w.rejects--
			refuse(out, http.StatusBadRequest, "Request_BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password.")
			return
		}
	}
	w.change(p, func() {
		if b := body.Profile.Force; b != nil {
			p.mustChange = *b
		}
		if b := body.Profile.MFA; b != nil {
			p.mustMFA = *b
		}
		if pw := body.Profile.Password; pw != nil {
			p.password, p.changed, p.sessions = *pw, now(), now()
		}
	})
	out.WriteHeader(http.StatusNoContent)
}

// complex is Entra's rule: 8 characters or more of three classes.
func complex(s string) bool {
	classes := map[string]bool{}
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			classes["upper"] = true
		case unicode.IsLower(r):
			classes["lower"] = true
		case unicode.IsDigit(r):
			classes["digit"] = true
		default:
			classes["other"] = true
		}
	}
	return len(s) >= 8 && len(classes) >= 3
}

// json is a person as Graph shows it, with the selected properties only.
func (p *person) json(r record, selected string) map[string]any {
	proxies := r.proxies
	if proxies == nil {
		proxies = []string{}
	}
	all := map[string]any{"id": p.id, "userPrincipalName": r.upn, "mail": text(r.mail), "proxyAddresses": proxies, "accountEnabled": r.enabled,
		"userType": r.kind, "isResourceAccount": r.resource, "isManagementRestricted": r.restricted, "onPremisesSyncEnabled": r.synced,
		"onPremisesSamAccountName": text(r.sam), "onPremisesDomainName": text(r.domain), "onPremisesSecurityIdentifier": text(r.sid),
		"securityIdentifier": cloudSID(p.id), "lastPasswordChangeDateTime": r.changed.Format(time.RFC3339), "signInSessionsValidFromDateTime": r.sessions.Format(time.RFC3339),
		"passwordProfile": map[string]any{"forceChangePasswordNextSignIn": r.mustChange, "forceChangePasswordNextSignInWithMfa": r.mustMFA, "password": nil}}
	out := map[string]any{}
	for _, name := range strings.Split(selected, ",") {
		if v, ok := all[name]; ok {
			out[name] = v
		}
	}
	return out
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
