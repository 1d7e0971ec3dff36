package googleworkspace_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// answering makes a customer behind something that answers some requests in Google's place.
func answering(t *testing.T, status int, body string, which func(*http.Request) bool) (*google, connectors.Connector) {
	g := newGoogle(t)
	return g, open(t, configOf(g.door(t, func(w http.ResponseWriter, r *http.Request, g http.Handler) {
		if !which(r) {
			g.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})))
}

func calling(method string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && r.URL.Path != "/token" }
}

func forToken(r *http.Request) bool { return r.URL.Path == "/token" }

var pages = []string{"", "404 page not found", "<html>Error 404 (Not Found)!!1</html>", `{"message":"no Route matched with those values"}`}

// A page of a proxy, or of another server at a wrong address, says nothing of accounts: nobody may be reported as not there.
func TestRefusalThatIsNotGooglesSaysNothingOfAnAccountOrARight(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404} {
		for _, body := range pages {
			g, c := answering(t, status, body, calling(http.MethodGet))
			a := g.add("jdoe@example.com")
			for _, one := range []schemas.Account{{Type: schemas.AccountAddress, Value: a.primary}, {Type: schemas.AccountObjectID, Value: a.id}} {
				_, err := c.Resolve(t.Context(), one)
				wantCode(t, err, schemas.CodeUnavailable)
			}
			g, c = answering(t, status, body, calling(http.MethodPut))
			_, err := c.Reset(t.Context(), idOf(g.add("jdoe@example.com")), schemas.ModeRandomize)
			wantCode(t, err, schemas.CodeUnavailable)
		}
	}
}

func TestTokenServerThatIsNotThereSaysNothingOfAnAccount(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404} {
		for _, body := range pages {
			g, c := answering(t, status, body, forToken)
			_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountAddress, Value: g.add("jdoe@example.com").primary})
			wantCode(t, err, schemas.CodeUnavailable)
		}
	}
}

// What applications were allowed and app passwords are taken away only when Google says so, or knows them no more.
func TestPageInPlaceOfTheAnswerTakesNothingAway(t *testing.T) {
	t.Parallel()
	for _, body := range pages {
		for _, status := range []int{200, 404} {
			if status == 200 && (body == "" || strings.HasPrefix(body, "{")) {
				continue // so Google answers
			}
			g, c := answering(t, status, body, calling(http.MethodDelete))
			a := g.add("jdoe@example.com")
			got, err := c.Revoke(t.Context(), idOf(a))
			if err == nil || len(g.look(a.id).clients) == 0 {
				t.Errorf("%d %q: %+v", status, body, got)
			}
		}
	}
}
