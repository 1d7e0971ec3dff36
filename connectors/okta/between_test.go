package okta_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// answering answers some requests in place of the imitation, as what stands in between does.
func answering(status int, body string, header http.Header, which func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !which(r) {
				next.ServeHTTP(w, r)
				return
			}
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

func every(*http.Request) bool      { return true }
func isPost(r *http.Request) bool   { return r.Method == http.MethodPost }
func isList(r *http.Request) bool   { return r.URL.Path == "/api/v1/users" }
func isRoles(r *http.Request) bool  { return strings.HasSuffix(r.URL.Path, "/roles") }
func forToken(r *http.Request) bool { return r.URL.Path == "/oauth2/v1/token" }
func oneUser(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/users/") && !isRoles(r)
}

// ways are all by which an account can be named that exists.
func ways(p person) []schemas.Account {
	return []schemas.Account{{Type: schemas.AccountLogin, Value: p.Login}, {Type: schemas.AccountUserName, Value: p.Login}, {Type: schemas.AccountEmail, Value: p.Email},
		{Type: schemas.AccountAddress, Value: p.Login}, {Type: schemas.AccountObjectID, Value: p.ID}}
}

// A page of a proxy, or of another server at a wrong address, says nothing of accounts: nobody may be reported as not there.
func TestRefusalThatIsNotOktasSaysNothingOfAnAccountOrARight(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{})
	for _, status := range []int{403, 404} {
		for _, body := range []string{"", "404 page not found", "<html>blocked</html>", `{"message":"no Route matched with those values"}`} {
			c := connect(t, byToken(o, o.behind(t, answering(status, body, nil, every))))
			for _, a := range ways(p) {
				if _, err := c.Resolve(t.Context(), a); schemas.CodeOf(err) != schemas.CodeUnavailable {
					t.Errorf("%d %q to a look-up by %s: %v", status, body, a.Type, err)
				}
			}
			c = connect(t, byToken(o, o.behind(t, answering(status, body, nil, isPost))))
			if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize); schemas.CodeOf(err) != schemas.CodeUnavailable {
				t.Errorf("%d %q to a reset: %v", status, body, err)
			}
		}
	}
}

// Okta's own refusal of a scope has no body.
func TestScopeThatIsMissingIsARightAlthoughNothingIsSaid(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{})
	header := http.Header{"Www-Authenticate": {`Bearer realm="https://example.okta.com", error="insufficient_scope", scope="okta.users.manage"`}}
	_, err := connect(t, byToken(o, o.behind(t, answering(403, "", header, isPost)))).Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeExpire)
	if f, ok := errors.AsType[*schemas.Failure](err); !ok || f.Code != schemas.CodePermissionMissing {
		t.Errorf("%v", err)
	}
}

func TestTokenServerThatIsNotThereSaysNothingOfAnAccount(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>nothing here</html>", `{"errorCode":"E0000007","errorSummary":"Not found: Resource not found: oauth2"}`} {
		for _, status := range []int{403, 404} {
			o := newImitation(t)
			p := o.add(person{})
			for _, a := range ways(p) {
				_, err := connect(t, byApp(o, o.behind(t, answering(status, body, nil, forToken)))).Resolve(t.Context(), a)
				if code := schemas.CodeOf(err); code == schemas.CodeAccountNotFound || body == "" && code != schemas.CodeUnavailable {
					t.Errorf("%d %q for a token: %v", status, body, err)
				}
			}
		}
	}
}

func TestSuccessThatHoldsNoUserIsNotNobody(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{})
	for _, body := range []string{"{}", "null", `{"errorCode":"E0000009"}`, `{"message":"authenticate with the proxy"}`} {
		for name, which := range map[string]func(*http.Request) bool{"a user": oneUser, "everything": every} {
			c := connect(t, byToken(o, o.behind(t, answering(200, body, nil, which))))
			for _, a := range ways(p) {
				if _, err := c.Resolve(t.Context(), a); schemas.CodeOf(err) != schemas.CodeUnavailable {
					t.Errorf("%s in place of %s, by %s: %v", body, name, a.Type, err)
				}
			}
		}
		for _, which := range []func(*http.Request) bool{oneUser, isRoles} {
			c := connect(t, byToken(o, o.behind(t, answering(200, body, nil, which))))
			if class, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID}); schemas.CodeOf(err) != schemas.CodeUnavailable {
				t.Errorf("%s: %+v, %v", body, class, err)
			}
		}
		c := connect(t, byToken(o, o.behind(t, answering(200, body, nil, isList))))
		if _, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: p.Email}); schemas.CodeOf(err) != schemas.CodeUnavailable {
			t.Errorf("%s in place of a list: %v", body, err)
		}
	}
}

// Okta answers each of its changes in a way of its own; what does not is no proof that something was changed.
func TestSuccessThatIsNotOktasLeavesAResetInDoubt(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "<html>Please sign in to the network</html>", `{"message":"authenticate with the proxy"}`} {
		for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
			o := newImitation(t)
			p := o.add(person{})
			c, err := byToken(o, o.behind(t, answering(200, body, nil, isPost))).Open(connectors.Env{System: "acme-okta"})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, mode); schemas.CodeOf(err) != schemas.CodeTimedOut {
				t.Errorf("%s, %q: %+v, %v", mode, body, got, err)
			}
			_ = c.Close()
		}
	}
}

// A letter that merely folds to another is somebody else's.
func TestLetterThatFoldsToAnotherIsNotTakenForIt(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.add(person{Login: "kim.sommer@example.com", Email: "kim.sommer@example.com"})
	c := connect(t, byToken(o, o.url))
	for _, name := range []string{"\u212aim.sommer@example.com", "kim.\u017fommer@example.com"} {
		for _, kind := range []schemas.AccountType{schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress} {
			if id, err := c.Resolve(t.Context(), schemas.Account{Type: kind, Value: name}); schemas.CodeOf(err) != schemas.CodeAccountNotFound {
				t.Errorf("%s by %s: %+v, %v", name, kind, id, err)
			}
		}
	}
}

// Whoever owns the API token must not be reset, so nobody is while it is not known who that is.
func TestOwnerOfTheTokenWhoIsNotToldKeepsEveryAccountFromBeingReset(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	me := func(r *http.Request) bool { return r.URL.Path == "/api/v1/users/me" }
	c := connect(t, byToken(o, o.behind(t, answering(200, "{}", nil, me))))
	if _, err := c.Reset(t.Context(), schemas.Identity{ID: ownerID}, schemas.ModeRandomize); schemas.CodeOf(err) != schemas.CodeUnavailable || len(o.sent("/lifecycle/")) > 0 {
		t.Errorf("%v after %v", err, o.sent("/lifecycle/"))
	}
}
