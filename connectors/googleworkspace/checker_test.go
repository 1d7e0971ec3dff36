package googleworkspace_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// pemOfCertificate gives a certificate that is good for nothing.
func pemOfCertificate(t *testing.T) string {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	return certificate(s)
}

func certificate(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// The imitation is worth as much as what it is held against.
func TestCheckerSeesWhatGoogleDoesNotDescribe(t *testing.T) {
	t.Parallel()
	d := descriptions(t)[0]
	if d == nil {
		t.Skip("Google's description of its API (the module google.golang.org/api, by `go mod download`) cannot be had here")
	}
	for _, one := range []struct {
		method, target, body string
		ok                   bool
	}{
		{"GET", "/admin/directory/v1/users/jdoe%40example.com?projection=custom&customFieldMask=a&fields=id,etag", "", true},
		{"GET", "/admin/directory/v1/users/1?projection=some", "", false},
		{"GET", "/admin/directory/v1/users/1?view=x", "", false},
		{"GET", "/admin/directory/v1/users/1?fields=id,mail", "", false},
		{"GET", "/admin/directory/v1/users?maxResults=501", "", false},
		{"GET", "/admin/directory/v1/users?maxResults=x", "", false},
		{"GET", "/admin/directory/v1/customer/c/roleassignments?includeIndirectRoleAssignments=yes", "", false},
		{"GET", "/admin/directory/v1/people/1", "", false},
		{"POST", "/admin/directory/v1/users/1", "{}", false},
		{"PUT", "/admin/directory/v1/users/1", `{"changePasswordAtNextLogin":true,"password":"x"}`, true},
		{"PUT", "/admin/directory/v1/users/1", `{"changePasswordAtNextSignin":true}`, false},
		{"PUT", "/admin/directory/v1/users/1", `{"changePasswordAtNextLogin":"true"}`, false},
		{"PUT", "/admin/directory/v1/users/1", `{"isAdmin":true}`, false},
		{"PUT", "/admin/directory/v1/users/1", `{"customSchemas":{"resetd":{"reset":"x"}}}`, true},
		{"PUT", "/admin/directory/v1/users/1", `{"customSchemas":{"resetd":"x"}}`, false},
		{"POST", "/admin/directory/v1/users/1/signOut", "", true},
		{"POST", "/admin/directory/v1/users/1/signOut", "{}", false},
	} {
		r := httptest.NewRequest(one.method, one.target, strings.NewReader(one.body))
		if one.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		m := d.find(r)
		ok := m != nil && d.checkRequest(m, r, []byte(one.body)) == nil
		if ok != one.ok {
			t.Errorf("%s %s %s: allowed %t, want %t", one.method, one.target, one.body, ok, one.ok)
		}
	}
	get := d.find(httptest.NewRequest("GET", "/admin/directory/v1/users/1", nil))
	for body, want := range map[string]bool{
		`{"id":"1","isAdmin":false,"aliases":["a@b.c"]}`: true, `{"id":1}`: false, `{"aliases":"a@b.c"}`: false, `{"lastPasswordChange":"x"}`: false, `[]`: false, `{`: false,
	} {
		if got := d.checkAnswer(get, 200, []byte(body)) == nil; got != want {
			t.Errorf("the answer %s: allowed %t, want %t", body, got, want)
		}
	}
	if d.checkAnswer(get, 403, []byte(`{"error":"forbidden"}`)) == nil || d.checkAnswer(get, 403, []byte(`{"error":{"code":404,"message":"x","errors":[{}]}}`)) == nil {
		t.Error("an error that is not of Google's form is allowed")
	}
}
