package entra_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/schemas"
)

// answering makes a server that answers some requests of Graph in place of the imitation, before anything is checked.
func answering(t *testing.T, w *world, status int, body string, which func(*http.Request) bool) *front {
	return newFront(t, w, func(f *front) {
		f.wire = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/v1.0/") || !which(r) {
				return false
			}
			out.WriteHeader(status)
			_, _ = io.WriteString(out, body)
			return true
		}
	})
}

func every(*http.Request) bool { return true }

// A page of a proxy, or of another server at a wrong address, says nothing of accounts: nobody may be reported as not there.
func TestRefusalThatIsNotGraphsSaysNothingOfAnAccountOrARight(t *testing.T) {
	for _, status := range []int{403, 404} {
		for _, body := range []string{"", "404 page not found", "<html>blocked</html>", `{"message":"no Route matched with those values"}`} {
			w := newWorld()
			p := w.add("jdoe@example.com", nil)
			c := connect(t, answering(t, w, status, body, every))
			for _, a := range []schemas.Account{{Type: schemas.AccountLogin, Value: p.upn}, {Type: schemas.AccountEmail, Value: p.upn}, {Type: schemas.AccountObjectID, Value: p.id}} {
				_, err := c.Resolve(t.Context(), a)
				codeIs(t, err, schemas.CodeUnavailable)
			}
			_, err := connect(t, answering(t, w, status, body, func(r *http.Request) bool { return !get(r) })).Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
			codeIs(t, err, schemas.CodeUnavailable)
		}
	}
}

func TestListThatIsNoneFindsNobodyAndSaysSo(t *testing.T) {
	for _, body := range []string{"{}", "null", `{"value":null}`, `{"error":{"code":"UnknownError","message":""}}`} {
		w := newWorld()
		p := w.add("jdoe@example.com", func(p *person) { p.mail = "jdoe@example.com" })
		list := func(r *http.Request) bool { return r.URL.Path == "/v1.0/users" }
		_, err := connect(t, answering(t, w, 200, body, list)).Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "jdoe@example.com"})
		codeIs(t, err, schemas.CodeUnavailable)
		groups := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/microsoft.graph.group") }
		_, err = connect(t, answering(t, w, 200, body, groups)).Classify(t.Context(), schemas.Identity{ID: p.id})
		codeIs(t, err, schemas.CodeUnavailable)
	}
}

// Graph answers a change of a user with 204 and nothing else.
func TestPageInPlaceOfTheAnswerToAResetLeavesItInDoubt(t *testing.T) {
	for _, body := range []string{"<html>Please sign in to the network</html>", `{"error":"authenticate with the proxy"}`} {
		w := newWorld()
		p := w.add("jdoe@example.com", nil)
		c := connect(t, answering(t, w, 200, body, func(r *http.Request) bool { return r.Method == http.MethodPatch }))
		_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeExpire)
		codeIs(t, err, schemas.CodeTimedOut)
		if w.login(p.id, p.password) != conformance.LoginAccepted {
			t.Fatal("the page was to come in place of the change")
		}
	}
}

// A domain of which nothing is said may be federated.
func TestDomainWithoutAKindIsNotTakenForManaged(t *testing.T) {
	for _, body := range []string{`{"id":"example.com"}`, `{"id":"example.com","authenticationType":null}`} {
		w := newWorld()
		p := w.add("jdoe@example.com", nil)
		c := connect(t, answering(t, w, 200, body, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1.0/domains/") }))
		if class := classOf(t, c, p); !strings.Contains(class.Why, "not known") {
			t.Errorf("the class is %+v", class)
		}
	}
}

// The answer to a revocation is 200 with a value; older descriptions of Graph say 204 with nothing.
func TestAnswersToARevocation(t *testing.T) {
	for _, one := range []struct {
		status int
		body   string
		want   schemas.Code
	}{{200, `{"@odata.context":"x","value":true}`, schemas.CodeOK}, {204, "", schemas.CodeOK}, {200, `{"value":false}`, schemas.CodeUnexpected},
		{200, `{"message":"authenticate with the proxy"}`, schemas.CodeTimedOut}, {200, "", schemas.CodeTimedOut}, {200, "<html></html>", schemas.CodeTimedOut}} {
		w := newWorld()
		c := connect(t, answering(t, w, one.status, one.body, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/revokeSignInSessions") }))
		if got, err := c.Revoke(t.Context(), schemas.Identity{ID: w.add("jdoe@example.com", nil).id}); schemas.CodeOf(err) != one.want {
			t.Errorf("%d %s: %+v, %v", one.status, one.body, got, err)
		}
	}
}

// The token server may be busy without a number; that is no wrong secret (RFC 6749 §4.1.2.1 has both words).
func TestTokenServerThatIsBusyIsNoWrongCredential(t *testing.T) {
	for _, word := range []string{"temporarily_unavailable", "server_error"} {
		for _, status := range []int{400, 503} {
			w := newWorld()
			p := w.add("jdoe@example.com", nil)
			f := newFront(t, w, func(f *front) {
				f.wire = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, "/token") {
						return false
					}
					out.Header().Set("Content-Type", "application/json")
					out.WriteHeader(status)
					_, _ = io.WriteString(out, `{"error":"`+word+`","error_description":"The server is temporarily too busy to handle the request."}`)
					return true
				}
			})
			_, err := connect(t, f).Classify(t.Context(), schemas.Identity{ID: p.id})
			codeIs(t, err, schemas.CodeUnavailable)
		}
	}
}
