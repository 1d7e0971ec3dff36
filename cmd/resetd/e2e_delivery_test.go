package main

import (
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestEndToEndTheHelpDeskAndNobodyElseGetsThePassword(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, func(o *harness.SiteOptions) {
		o.Extra += "delivery: {recipients: [" + key.Recipient().String() + "]}\n"
	})
	who := s.slapd.Person(testserver.JDoe)
	task := s.ask("msg_1", who.Mail)[0]
	if task.Status != schemas.StatusSuccessful {
		t.Fatalf("%s %s: %s", task.Status, task.Code, task.Detail)
	}
	text, status := s.run("tasks", "sealed", "-c", "resetd.yaml", task.ID)
	if status != exitOK {
		t.Fatalf("status %d: %s", status, text)
	}
	opened, err := age.Decrypt(armor.NewReader(strings.NewReader(text)), key)
	if err != nil {
		t.Fatal(err)
	}
	password, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	const changeAfterReset = 2 // draft-behera-ldap-password-policy §6.2
	if policy, err := s.slapd.Bind(who.DN, string(password)); err != nil || policy != changeAfterReset {
		t.Errorf("the delivered password does not sign in to a change: policy error %d, %v", policy, err)
	}
	s.told(task)
	for name, said := range map[string]string{"log": s.log.String(), "callbacks": s.bodies.String()} {
		if strings.Contains(said, string(password)) || strings.Contains(said, "AGE ENCRYPTED") {
			t.Errorf("the %s holds the password, open or sealed", name)
		}
	}
}

func TestEndToEndAPasswordThatWasSetSinceTheAlertIsLeftAlone(t *testing.T) {
	s := play(t, func(o *harness.SiteOptions) { o.Coalesce = "off" })
	who := s.slapd.Person(testserver.JDoe)
	colleague, err := s.slapd.Connect(s.slapd.ServiceDN, s.slapd.ServicePassword)
	if err != nil {
		t.Fatal(err)
	}
	defer colleague.Close()
	if _, err := colleague.PasswordModify(ldap.NewPasswordModifyRequest(who.DN, "", "Set-by-hand-in-time-1")); err != nil {
		t.Fatal(err)
	}
	text, status := s.run("send", "-c", "resetd.yaml", "--source", "soar", "--account", who.Mail, "--skip-if-changed-since", "1h", "--wait")
	if status != exitOK || !strings.Contains(text, string(schemas.CodeAlreadyInForce)) {
		t.Errorf("status %d:\n%s", status, text)
	}
	if writes, err := s.slapd.PasswordWrites(); err != nil || writes[strings.ToLower(who.DN)] != 1 {
		t.Errorf("the directory counted %d writes, %v", writes[strings.ToLower(who.DN)], err)
	}
}
