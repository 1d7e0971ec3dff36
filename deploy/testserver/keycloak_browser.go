package testserver

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// KeycloakBrowser is somebody at the log-in form, with cookies of his own.
type KeycloakBrowser struct {
	realm  *KeycloakRealm
	client *http.Client
}

// KeycloakPage is where a browser arrives.
type KeycloakPage struct {
	// Code is the code that the application got; "" unless the log-in is through.
	Code string
	// Demand is the required action that the page is about, such as UPDATE_PASSWORD; "" for none.
	Demand string
	// Form is where the page's form leads; "" for none. A log-in that was refused shows the same form again.
	Form string
}

// Browser gives a new one.
func (r *KeycloakRealm) Browser() *KeycloakBrowser {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	r.must(err)
	return &KeycloakBrowser{realm: r, client: &http.Client{Jar: jar, Timeout: 2 * clientLimit, CheckRedirect: func(request *http.Request, _ []*http.Request) error {
		// Nobody listens where the application would be.
		if strings.HasPrefix(request.URL.String(), KeycloakAppURL) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// Open goes to the application, which sends the browser to the log-in form, or gets a code at once while a session goes on.
func (b *KeycloakBrowser) Open() KeycloakPage {
	b.realm.t.Helper()
	address := b.realm.Server.URL + "/realms/" + b.realm.Name + "/protocol/openid-connect/auth?" + url.Values{
		"client_id": {KeycloakApp}, "redirect_uri": {KeycloakAppURL}, "response_type": {"code"}, "scope": {"openid"},
	}.Encode()
	response, err := b.client.Get(address)
	b.realm.must(err)
	return b.read(response)
}

// Submit sends a form.
func (b *KeycloakBrowser) Submit(page KeycloakPage, fields url.Values) KeycloakPage {
	b.realm.t.Helper()
	response, err := b.client.PostForm(page.Form, fields)
	b.realm.must(err)
	return b.read(response)
}

// SignIn fills in the log-in form.
func (b *KeycloakBrowser) SignIn(name, password string) KeycloakPage {
	b.realm.t.Helper()
	return b.Submit(b.Open(), url.Values{"username": {name}, "password": {password}})
}

var keycloakForm = regexp.MustCompile(`<form[^>]*\saction="([^"]+)"`)

func (b *KeycloakBrowser) read(response *http.Response) (page KeycloakPage) {
	b.realm.t.Helper()
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(response.Body)
	b.realm.must(err)
	if to, err := response.Location(); err == nil && strings.HasPrefix(to.String(), KeycloakAppURL) {
		page.Code = to.Query().Get("code")
		return page
	}
	if response.StatusCode > 399 {
		b.realm.must(fmt.Errorf("keycloak: the page is HTTP %d: %.500s", response.StatusCode, text))
	}
	page.Demand = response.Request.URL.Query().Get("execution")
	if !strings.HasSuffix(response.Request.URL.Path, "/required-action") {
		page.Demand = ""
	}
	if found := keycloakForm.FindSubmatch(text); found != nil {
		page.Form = html.UnescapeString(string(found[1]))
	}
	return page
}
