package entra_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// permissionIDs are those of the vendor's list that the imitation gives out.
var permissionIDs = map[string]string{
	"User-PasswordProfile.ReadWrite.All": "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7", "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
	"User.Read.All": "df021288-bdef-4463-88db-98f22de89214", "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
	"Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664", "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
}

// cloudSID is the SID that Entra derives from an object id.
func cloudSID(id string) string {
	u := uuid.MustParse(id)
	b := []byte{u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]}
	return fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:]))
}

func (w *world) readDomains(out http.ResponseWriter, a *app, parts []string) {
	if !a.may([]string{"Domain.Read.All", "Directory.Read.All"}) {
		denyRights(out)
		return
	}
	if len(parts) == 1 {
		var value []any
		for name, kind := range w.domains {
			value = append(value, map[string]any{"id": name, "authenticationType": kind})
		}
		answer(out, map[string]any{"value": value})
		return
	}
	kind, ok := w.domains[parts[1]]
	if !ok {
		refuse(out, http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist.")
		return
	}
	answer(out, map[string]any{"id": parts[1], "authenticationType": kind})
}

// memberships lists roles or groups in pages of two.
func (w *world) memberships(out http.ResponseWriter, r *http.Request, a *app, p *person, kind string) {
	var all []any
	switch kind {
	case "microsoft.graph.directoryRole":
		if !a.may([]string{"RoleManagement.Read.Directory", "Directory.Read.All"}) {
			denyRights(out)
			return
		}
		for _, one := range p.roles {
			all = append(all, map[string]any{"displayName": one.name, "roleTemplateId": one.template})
		}
	case "microsoft.graph.group":
		if !a.may([]string{"GroupMember.Read.All", "Directory.Read.All"}) {
			denyRights(out)
			return
		}
		for _, one := range p.groups {
			all = append(all, map[string]any{"displayName": one.name, "isAssignableToRole": one.assignable})
		}
	}
	from := 0
	_, _ = fmt.Sscanf(r.URL.Query().Get("$skiptoken"), "from%d", &from)
	to := min(from+2, len(all))
	body := map[string]any{"value": append([]any{}, all[from:to]...)}
	if to < len(all) {
		body["@odata.nextLink"] = fmt.Sprintf("https://elsewhere.example.com/v1.0/next?$skiptoken=from%d", to)
	}
	answer(out, body)
}

// assignments lists the roles that were given to a person himself, or that he may take when he wants.
func (w *world) assignments(out http.ResponseWriter, p *person, path string) {
	all := append(append([]role{}, p.roles...), p.scoped...)
	if strings.HasSuffix(path, "roleEligibilityScheduleInstances") {
		if all = p.eligible; w.noPIM {
			refuse(out, http.StatusBadRequest, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
			return
		}
	}
	value := []any{}
	for _, one := range all {
		value = append(value, map[string]any{"principalId": p.id, "directoryScopeId": "/", "roleDefinition": map[string]any{"templateId": one.template, "displayName": one.name}})
	}
	answer(out, map[string]any{"value": value})
}

// directory answers what concerns roles and the application itself.
func (w *world) directory(out http.ResponseWriter, r *http.Request, a *app, parts []string) {
	path := strings.Join(parts, "/")
	name, id := "", ""
	for appID, one := range w.apps {
		if one == a {
			name, id = appID, one.oid
		}
	}
	principal := strings.TrimSuffix(strings.TrimPrefix(r.URL.Query().Get("$filter"), "principalId eq '"), "'")
	switch path {
	case "roleManagement/directory/roleAssignments", "roleManagement/directory/roleEligibilityScheduleInstances":
		p := w.people[principal]
		switch {
		case !a.may([]string{"RoleManagement.Read.Directory", "Directory.Read.All"}) || p == nil && principal != id:
			denyRights(out)
			return
		case p != nil:
			w.assignments(out, p, path)
			return
		}
		value := []any{}
		for template, scope := range a.roles {
			value = append(value, map[string]any{"principalId": id, "directoryScopeId": scope, "roleDefinition": map[string]any{"templateId": template}})
		}
		answer(out, map[string]any{"value": value})
		return
	case "servicePrincipals(appId='" + name + "')", "servicePrincipals(appId='" + name + "')/appRoleAssignments", "applications(appId='" + name + "')":
	default:
		refuse(out, http.StatusBadRequest, "BadRequest", "Resource not found for the segment.")
		return
	}
	if !a.may([]string{"Application.Read.All"}) {
		denyRights(out)
		return
	}
	switch {
	case strings.HasPrefix(path, "applications"):
		value := []any{}
		if !a.secretEnd.IsZero() {
			value = append(value, map[string]any{"endDateTime": a.secretEnd.UTC().Format(time.RFC3339)})
		}
		answer(out, map[string]any{"id": uuid.NewString(), "passwordCredentials": value})
	case strings.HasSuffix(path, "appRoleAssignments"):
		value := []any{}
		for _, p := range a.permissions {
			value = append(value, map[string]any{"appRoleId": permissionIDs[p]})
		}
		answer(out, map[string]any{"value": value})
	default:
		answer(out, map[string]any{"id": id})
	}
}
