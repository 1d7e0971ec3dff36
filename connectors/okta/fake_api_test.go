package okta_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// api is the part of the Management API that resetd calls.
func (o *imitation) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/users", o.search)
	mux.HandleFunc("GET /api/v1/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if p := o.target(w, r, "okta.users.read"); p != nil {
			o.write(w, http.StatusOK, p.json())
		}
	})
	mux.HandleFunc("GET /api/v1/users/{id}/roles", func(w http.ResponseWriter, r *http.Request) {
		if p := o.target(w, r, "okta.iam.read"); p != nil {
			if p.ID == ownerID {
				p = &person{Roles: o.roles}
			}
			o.write(w, http.StatusOK, rolesJSON(p.Roles))
		}
	})
	mux.HandleFunc("POST /api/v1/users/{id}/lifecycle/expire_password", o.expire)
	mux.HandleFunc("POST /api/v1/users/{id}/lifecycle/expire_password_with_temp_password", o.temporary)
	mux.HandleFunc("POST /api/v1/users/{id}/lifecycle/reset_password", o.recover)
	mux.HandleFunc("DELETE /api/v1/users/{id}/sessions", o.revoke)
	mux.HandleFunc("GET /oauth2/v1/clients/{id}/roles", func(w http.ResponseWriter, _ *http.Request) {
		if o.may("okta.iam.read") {
			o.write(w, http.StatusOK, rolesJSON(o.roles))
			return
		}
		o.fail(w, "E0000006")
	})
	mux.HandleFunc("GET /api/v1/iam/roles/{id}/permissions", o.permissions)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.calls = append(o.calls, r.Method+" "+r.URL.RequestURI())
		mux.ServeHTTP(w, r)
	})
}

// may tells what the role of whoever calls allows.
func (o *imitation) may(permission string) bool {
	return slices.Contains(o.roles, "SUPER_ADMIN") || slices.Contains(o.roles, "ORG_ADMIN") ||
		slices.Contains(o.roles, "HELP_DESK_ADMIN") && permission != "okta.iam.read" ||
		slices.Contains(o.roles, "READ_ONLY_ADMIN") && strings.HasSuffix(permission, ".read") ||
		slices.Contains(o.roles, "CUSTOM") && o.allowed[permission]
}

// target finds the account in the path, as Okta does: by id, login, short name, or "me". It answers itself, and gives nil,
// when that is refused.
func (o *imitation) target(w http.ResponseWriter, r *http.Request, permission string) *person {
	last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if code := o.refuse[last]; code != "" {
		o.fail(w, code)
		return nil
	}
	what := r.PathValue("id")
	if what == "me" {
		return o.users[ownerID]
	}
	p := o.find(what)
	switch {
	case p == nil:
		o.fail(w, "E0000007")
	case !o.may(permission), r.Method != http.MethodGet && len(p.Roles) > 0 && !slices.Contains(o.roles, "SUPER_ADMIN"):
		o.fail(w, "E0000006")
	default:
		return p
	}
	return nil
}

func (o *imitation) find(what string) *person {
	if p := o.users[what]; p != nil {
		return p
	}
	var short []*person
	for _, p := range o.users {
		if sameLogin(p.Login, what) {
			return p
		}
		if before, _, _ := strings.Cut(p.Login, "@"); sameLogin(before, what) {
			short = append(short, p)
		}
	}
	if len(short) == 1 {
		return short[0]
	}
	return nil
}

// sameLogin compares as Okta does: neither case nor diacritical marks count.
func sameLogin(a, b string) bool {
	marks := strings.NewReplacer("á", "a", "à", "a", "ç", "c", "ö", "o")
	return strings.EqualFold(marks.Replace(a), marks.Replace(b))
}

// clauses are the expressions that the imitation understands, strings in the form of JSON.
var (
	clause = `profile\.(\w+) (eq|sw) ("(?:[^"\\]|\\.)*")`
	oneOf  = regexp.MustCompile(clause)
	allOf  = regexp.MustCompile(`^` + clause + `(?: or ` + clause + `)*$`)
)

// search answers from the index, which lags behind.
func (o *imitation) search(w http.ResponseWriter, r *http.Request) {
	if !o.may("okta.users.read") {
		o.fail(w, "E0000006")
		return
	}
	expression := r.URL.Query().Get("search")
	out := []any{}
	if expression != "" && !allOf.MatchString(expression) {
		o.fail(w, "E0000031")
		return
	}
	for _, p := range o.index {
		if expression == "" && len(out) == 0 && p.Status != "DEPROVISIONED" || expression != "" && matches(p, expression) {
			out = append(out, p.json())
		}
	}
	o.write(w, http.StatusOK, out[:min(len(out), 20)])
}

func matches(p person, expression string) bool {
	profile, _ := p.json()["profile"].(map[string]any)
	for _, c := range oneOf.FindAllStringSubmatch(expression, -1) {
		var value string
		if json.Unmarshal([]byte(c[3]), &value) != nil {
			return false
		}
		has, _ := profile[c[1]].(string)
		if c[2] == "eq" && strings.EqualFold(has, value) || c[2] == "sw" && len(has) >= len(value) && strings.EqualFold(has[:len(value)], value) {
			return true
		}
	}
	return false
}

// to moves an account into a status.
func (p *person) to(status string) {
	if p.Status != status {
		p.Status, p.StatusChanged = status, time.Now().Truncate(time.Second)
	}
}

// cannot are the statuses in which no operation on passwords is allowed.
var cannot = []string{"STAGED", "PROVISIONED", "SUSPENDED", "DEPROVISIONED"}

func (o *imitation) lifecycle(w http.ResponseWriter, r *http.Request, permission string) *person {
	p := o.target(w, r, permission)
	if p != nil && slices.Contains(cannot, p.Status) {
		o.fail(w, "E0000038")
		return nil
	}
	return p
}

func (o *imitation) expire(w http.ResponseWriter, r *http.Request) {
	if p := o.lifecycle(w, r, "okta.users.credentials.expirePassword"); p != nil {
		p.to("PASSWORD_EXPIRED")
		o.write(w, http.StatusOK, p.json())
	}
}

func (o *imitation) temporary(w http.ResponseWriter, r *http.Request) {
	if p := o.lifecycle(w, r, "okta.users.credentials.expirePassword"); p != nil {
		p.Password, p.Changed = o.temps[o.used], time.Now().Truncate(time.Second)
		o.used++
		p.to("PASSWORD_EXPIRED")
		o.write(w, http.StatusOK, map[string]any{"tempPassword": p.Password})
	}
}

func (o *imitation) recover(w http.ResponseWriter, r *http.Request) {
	if p := o.lifecycle(w, r, "okta.users.credentials.resetPassword"); p != nil {
		p.to("RECOVERY")
		link := o.url + "/signin/reset-password/" + resetToken
		o.mails = append(o.mails, p.Email+" "+link)
		body := map[string]any{}
		if r.URL.Query().Get("sendEmail") != "true" || o.linkShown {
			body["resetPasswordUrl"] = link
		}
		o.write(w, http.StatusOK, body)
	}
}

// resetToken stands in every link that is mailed.
const resetToken = "XE6wE17zmphl3KqAPFxO"

func (o *imitation) revoke(w http.ResponseWriter, r *http.Request) {
	if p := o.target(w, r, "okta.users.lifecycle.clearSessions"); p != nil {
		p.Sessions = 0
		o.revokes = append(o.revokes, r.URL.RawQuery)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (o *imitation) permissions(w http.ResponseWriter, r *http.Request) {
	if code := o.refuse["permissions"]; code != "" {
		o.fail(w, code)
		return
	}
	list := []any{}
	for p := range o.allowed {
		list = append(list, map[string]any{"label": p, "created": "2024-01-01T00:00:00.000Z"})
	}
	o.write(w, http.StatusOK, map[string]any{"permissions": list})
}

func rolesJSON(types []string) []any {
	out := []any{}
	for _, t := range types {
		one := map[string]any{"id": "ra1" + t, "type": t, "label": t, "status": "ACTIVE", "assignmentType": "USER", "created": "2024-01-01T00:00:00.000Z"}
		if t == "CUSTOM" {
			one["role"], one["resource-set"] = "cr0Yq6IJxGIr0ouum0g3", "iamoJDFKaJxGIr0oamd9g"
		}
		out = append(out, one)
	}
	return out
}
