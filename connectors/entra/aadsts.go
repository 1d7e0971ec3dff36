package entra

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// advice is what the token server's error numbers mean, and what to do
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). All of them are bad_credentials.
var advice = map[int]string{
	7000215: "the client secret is wrong; a common slip is to copy the secret's ID in place of its Value: make a new one under Certificates & secrets of the app registration and write its Value to client_secret",
	7000222: "the client secret has expired; make a new one under Certificates & secrets of the app registration and write its Value to client_secret",
	7000216: "Entra wants a secret or a certificate from this application; give one in the settings",
	700027:  "Entra does not accept the certificate; upload its public part under Certificates & secrets of the app registration, and check the machine's clock",
	700024:  "the signed assertion is not valid at this time; check the machine's clock",
	700016:  "there is no such application in the tenant; check client_id and tenant_id, and whether the application was given consent",
	7000112: "the application is disabled in the tenant; enable it under Enterprise applications",
	90002:   "there is no such tenant; check tenant_id and cloud",
	900023:  "there is no such tenant; check tenant_id and cloud",
	70021:   "no federated credential of the app registration fits the token; compare its issuer, subject and audience",
	700211:  "no federated credential of the app registration has the token's issuer; compare them",
	700212:  "no federated credential of the app registration has the token's audience; compare them",
	700213:  "no federated credential of the app registration has the token's subject; compare them",
	53003:   "a Conditional Access policy for workload identities blocks the sign-in; exempt resetd's application or sign in from an allowed place",
	530034:  "the tenant's security defaults or policies block the application; see the sign-in logs of service principals",
	500011:  "Graph is not known in the tenant under this address; check cloud",
}

// transient are numbers that pass by themselves, whatever the status.
var transient = map[int]bool{90033: true, 90055: true, 90036: true, 90085: true}

// refused turns the end of a token request into a failure. The token server's prose is not quoted: it can hold what it was
// sent. Nothing was sent to Graph in any case.
func (s *signIn) refused(ctx context.Context, w *wire) *schemas.Failure {
	at := fmt.Sprintf("signing in at %s (%s)", s.host, s.system)
	if w.err != nil || w.status == 0 {
		if ctx.Err() != nil {
			return schemas.Fail(schemas.CodeUnavailable, "%s: no answer in time; nothing was sent to Graph", at).Because(ctx.Err())
		}
		return schemas.Fail(schemas.CodeUnavailable, "%s: no connection, or it broke; nothing was sent to Graph; check the network, the proxy and, "+
			"with managed_identity, whether this machine has one", at)
	}
	var body struct {
		Error  string `json:"error"`
		Number []int  `json:"error_codes"`
	}
	readable := json.Unmarshal(w.body, &body) == nil && body.Error != ""
	number := 0
	if len(body.Number) > 0 {
		number = body.Number[0]
	}
	switch text, known := advice[number]; {
	case w.status == http.StatusTooManyRequests:
		f := schemas.Fail(schemas.CodeRateLimited, "%s: the token server asks to be called less often", at)
		f.RetryAfter = rest.RetryAfter(w.header, time.Now())
		return f
	case known:
		return schemas.Fail(schemas.CodeBadCredentials, "%s: AADSTS%d: %s", at, number, text)
	case w.status >= 500 || transient[number] || body.Error == "temporarily_unavailable" || body.Error == "server_error":
		f := schemas.Fail(schemas.CodeUnavailable, "%s: the token server failed (HTTP %d)", at, w.status)
		f.RetryAfter = rest.RetryAfter(w.header, time.Now())
		return f
	case readable && number != 0:
		return schemas.Fail(schemas.CodeBadCredentials, "%s: refused with AADSTS%d; look the number up at https://login.microsoftonline.com/error and correct the settings", at, number)
	case readable && w.status >= 400:
		return schemas.Fail(schemas.CodeBadCredentials, "%s: refused (HTTP %d); check tenant_id, client_id and the credential", at, w.status)
	}
	return schemas.Fail(schemas.CodeUnavailable, "%s: the answer is none of a token server (HTTP %d); check cloud and authority_url, and what stands between", at, w.status)
}
