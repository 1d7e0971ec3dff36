package okta

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// dpop proves with every request that the token belongs to us (RFC 9449), from the moment on when Okta demands it: a service
// app may have "Require Demonstrating Proof of Possession". The key is made for this run and kept nowhere.
type dpop struct {
	mu   sync.Mutex
	sign signer // nil: not demanded so far
}

// demand begins to prove. It tells whether that is news.
func (d *dpop) demand() (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sign != nil {
		return false, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return false, err
	}
	d.sign, err = newSigner(jose.ES256, key, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	return true, err
}

func (d *dpop) signer() signer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sign
}

// guard puts the proof between a client and the network.
func (d *dpop) guard(c *http.Client) { c.Transport = &proving{dpop: d, next: c.Transport} }

// proving is a transport that adds the proof. Each client has its own, because the token server and the API hand out
// nonces of their own (RFC 9449 §8, §9).
type proving struct {
	dpop *dpop
	next http.RoundTripper

	mu    sync.Mutex
	nonce string
}

// RoundTrip sends the request with a proof, and once more if the API wants its nonce in it: it has done nothing then. A
// request for a token is made anew by the one who knows how, because an assertion must not be sent twice.
func (p *proving) RoundTrip(r *http.Request) (*http.Response, error) {
	sign := p.dpop.signer()
	if sign == nil {
		return p.next.RoundTrip(r)
	}
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // each copy is sent with a body of its own
	}
	for again := false; ; again = true {
		nonce := p.known("")
		proven, err := proved(r, sign, nonce)
		if err != nil {
			return nil, err
		}
		answer, err := p.next.RoundTrip(proven)
		if err != nil {
			return nil, err
		}
		fresh := p.known(answer.Header.Get("DPoP-Nonce"))
		if again || fresh == nonce || answer.StatusCode != http.StatusUnauthorized || r.URL.Path == tokenPath {
			return answer, nil
		}
		_ = answer.Body.Close()
	}
}

// known keeps the newest nonce.
func (p *proving) known(fresh string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fresh != "" {
		p.nonce = fresh
	}
	return p.nonce
}

// CloseIdleConnections passes the wish on, as http.Client does it only for transports that know it.
func (p *proving) CloseIdleConnections() { (&http.Client{Transport: p.next}).CloseIdleConnections() }

// proof is the claims of RFC 9449 §4.2.
type proof struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	At     int64  `json:"iat"`
	Nonce  string `json:"nonce,omitempty"`
	Token  string `json:"ath,omitempty"`
}

// proved gives a copy of the request with its proof.
func proved(r *http.Request, sign signer, nonce string) (*http.Request, error) {
	claims := proof{ID: rand.Text(), Method: r.Method, URL: r.URL.Scheme + "://" + r.URL.Host + r.URL.EscapedPath(), At: time.Now().Unix(), Nonce: nonce}
	out := r.Clone(r.Context())
	if token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); bearer {
		sum := sha256.Sum256([]byte(token))
		claims.Token = base64.RawURLEncoding.EncodeToString(sum[:])
		out.Header.Set("Authorization", "DPoP "+token)
	}
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	text, err := sign(claims)
	if err != nil {
		return nil, err
	}
	out.Header.Set("DPoP", text)
	return out, nil
}
