package mapping_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas/sender"
)

// Published bodies, which are no part of the repository (RESETD_TEST_PAYLOADS names their folder): what they name is found, and what they do not is not made up.
func TestPublishedBodies(t *testing.T) {
	dir := os.Getenv("RESETD_TEST_PAYLOADS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "payloads")
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the published bodies are missing: name their folder in RESETD_TEST_PAYLOADS")
	}
	for _, c := range []struct {
		file    string
		foreach string
		account sender.Expressions
		want    string
	}{
		{"aws-iam-key-compromised", "", sender.Expressions{"=arn_user(body.userIdentity.arn)"}, "user_name:compromised_user"},
		{"aws-guardduty-iam", "", sender.Expressions{`=body.service.action.awsApiCallAction.affectedResources["AWS::IAM::Role"]`}, "!uncertain_account"},
		{"defender-graph-alert-anonymous-ip", `=body.evidence.filter(e, e.at_sign_odata_type.endsWith("userEvidence"))`, sender.Expressions{"=login(item.userAccount.userPrincipalName)"}, "login:homer.simpson@example.com"},
		{"defender-incident-user-reported-phish", `=flatten(array(body.alerts).map(a, array(a.entities))).filter(e, e.userPrincipalName != null)`, sender.Expressions{"=login(item.userPrincipalName)"}, "login:"},
		{"entra-high-risk-signin", "", sender.Expressions{"=login(body.properties.userPrincipalName)"}, "login:user5@example.com"},
		{"gitguardian-incident", "$.who", sender.Expressions{"=email(item.email)"}, "email:dev1@example.com"},
		{"github-secret-scanning-alert", "", sender.Expressions{"=user_name(body.sender.login)"}, "user_name:Codertocat"},
		{"google-workspace-password-leak", "", sender.Expressions{"=email(body.parameters.affected_email_address)"}, "email:homer.simpson@example.com"},
		{"graylog-event-notification", "", sender.Expressions{"$.event.fields.user", "$.event.fields.username"}, "!no_account"},
		{"jira-cloud-issue-created", "", sender.Expressions{"=email(body.issue.fields.reporter.emailAddress)"}, "email:"},
		{"okta-user-account-locked", "", sender.Expressions{"=login(first(array(body.target).filter(t, t.type == \"User\")).alternateId)", `=body.actor.type == "User" ? login(body.actor.alternateId) : null`}, "login:homer.simpson@example.com"},
		{"onelogin-high-risk-login", "", sender.Expressions{"$.user_id"}, "!uncertain_account"},
		{"onelogin-high-risk-login", "", sender.Expressions{"$.user_name"}, "!uncertain_account"},
		{"onelogin-high-risk-login", "", sender.Expressions{"=object_id(body.user_id)"}, "object_id:123456"},
		{"pagerduty-v3-incident-priority-updated", "", sender.Expressions{"$.event.data.custom_fields.user"}, "!no_account"},
		{"pushsecurity-phishing-block", "", sender.Expressions{"=email(body.new.employee.email)"}, "email:john.hill@example.com"},
		{"risc-credential-compromise", "", sender.Expressions{`=body.sub_id.format == "iss_sub" ? login_or_email(body.sub_id.sub) : null`}, "login_or_email:joe.smith@example.com"},
		{"sentinel-entities-accounts", "$", sender.Expressions{"=user_name(item.Properties.accountName)"}, "user_name:test_1 user_name:test_2"},
		{"sentinelone-alert", "", sender.Expressions{"$.data.userid", "$.userid"}, "!uncertain_account"},
		{"servicenow-security-incident", "", sender.Expressions{"$.security_incident.affected_user.value"}, "!uncertain_account"},
		{"slack-block-actions-min", "$.actions", sender.Expressions{"$.value"}, ""},
		{"splunk-es-notable", "", sender.Expressions{"$.user"}, "user_name:root"}, // the guard protects it
		{"spycloud-malware-record", "", sender.Expressions{"$.email", "$.username"}, `down_level_logon_name:CORP\gainst826`},
		{"wazuh-keep-integration", "", sender.Expressions{`=capture(body.description, "(?m)^User ([^\\s]+)$")`}, "!no_account"},
	} {
		body, err := os.ReadFile(filepath.Join(dir, c.file+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		m := sender.Map{Account: c.account}
		if c.foreach != "" {
			m.ForEach = sender.Expressions{c.foreach}
		}
		r, p := compile(t, mapping.Program{Map: m}).Map(t.Context(), mapping.Input{Body: body, Now: now})
		if kind, refused := strings.CutPrefix(c.want, "!"); refused {
			if p == nil || p.Type != "urn:resetd:problem:"+kind {
				t.Errorf("%s: %+v %+v", c.file, r, p)
			}
			continue
		}
		if got := accountsOf(r); p != nil || got != c.want && (!strings.HasSuffix(c.want, ":") || !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "@contoso.com") && !strings.HasSuffix(got, "@example.com")) {
			t.Errorf("%s: %s %+v", c.file, got, p)
		}
	}
}
