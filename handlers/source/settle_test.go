package source_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
)

// A token may tell late of what happened; that it was issued long ago is another matter.
func TestTheAgeOfATokenIsThatOfItsIssue(t *testing.T) {
	s, v := vectored(t, "ssf")
	for _, c := range []struct {
		issued, happened time.Duration // ago
		refused          bool
	}{
		{time.Minute, 2 * time.Minute, false},
		{time.Minute, 30 * 24 * time.Hour, false},
		{23 * time.Hour, 23 * time.Hour, false},
		{25 * time.Hour, 25 * time.Hour, true},
		{25 * time.Hour, time.Minute, true},
	} {
		claims := `{"iss":"https://signals.example.com/tenant/7","jti":"1","iat":` + unix(v.Now.Add(-c.issued)) + `,"aud":"a",
			"sub_id":{"format":"email","email":"jdoe@example.com"},"events":{"https://schemas.openid.net/secevent/risc/event-type/credential-compromise":
			{"credential_type":"password","event_timestamp":` + unix(v.Now.Add(-c.happened)) + `}}}`
		m, p := s.Map(t.Context(), http.Header{}, verify.Proof{At: v.Now.Add(-c.issued), Payload: []byte(claims)}, v.Now)
		switch {
		case !c.refused && (p != nil || len(m.Requests) != 1):
			t.Errorf("%+v: %+v %v", c, m, p)
		case c.refused && (p == nil || p.Type != "urn:resetd:problem:too_old" || !strings.Contains(p.Errors[0].Detail, "issued at")):
			t.Errorf("%+v: %+v %v", c, m, p)
		}
	}
}
