// Package sender is the language of sources: how a sender of webhooks proves itself, how its bodies become requests, and
// what it wants to hear. A preset and a source in the configuration are written in the same words, and the second is laid
// over the first. The types are plain data; what they mean is done by handlers/source.
package sender

import (
	"time"

	"github.com/resetd/resetd/schemas"
)

// Profile is all that is known of a kind of sender, or what a configuration says otherwise.
type Profile struct {
	Verify Verify `yaml:"verify"`
	// Handshake names the questions that the sender asks before or between its deliveries; see Handshakes.
	Handshake []string `yaml:"handshake" validate:"max=4,unique"`
	Read      Read     `yaml:"read"`
	Map       Map      `yaml:"map"`
	// IgnoreWhen acknowledges deliveries that ask for nothing (pings, tests, resolved alerts); the first rule that holds
	// counts. RefuseWhen answers 422 to what must not become a reset.
	IgnoreWhen []Rule  `yaml:"ignore_when" validate:"max=32,dive"`
	RefuseWhen []Rule  `yaml:"refuse_when" validate:"max=32,dive"`
	Respond    Respond `yaml:"respond"`
}

// Read says how the bytes of a body are read.
type Read struct {
	// As is json (default), form (a field of application/x-www-form-urlencoded that holds JSON), or native (resetd's own
	// body). Scheme ssf-set gives its claims in the form of verify.NormaliseSET, whatever this says.
	As string `yaml:"as" validate:"omitempty,oneof=json form native"`
	// Field is the form's field; default payload.
	Field string `yaml:"field" validate:"max=64"`
	// Types are the media types that are taken; default application/json for json and native.
	Types []string `yaml:"types" validate:"max=8,unique"`
}

// Map says how a body becomes requests. Each text is a path ($.data.user), a CEL expression behind =, or, where a fixed
// text makes sense, that text; a list of them is tried in order, and the first that gives something counts. In them, body
// is the whole body, item what ForEach gave (the body without it), headers the request's headers by lower-case name, and
// now the time of the delivery. A path begins at item; $body.x begins at the body. What must be proved (ForEach, Account,
// OccurredAt) comes from the body alone.
type Map struct {
	// ForEach gives the list whose entries each become requests; nothing: the body is the one entry.
	ForEach Expressions `yaml:"foreach"`
	// SkipWhen leaves entries out that ask for nothing; at least one of the others must yield an account.
	SkipWhen []Rule `yaml:"skip_when" validate:"max=32,dive"`
	// Account gives a text, {"type","value"}, or a list of either. AccountType, if set, is what a text is read as; else the
	// fixed rule of schemas.ParseAccount holds.
	Account     Expressions `yaml:"account"`
	AccountType string      `yaml:"account_type" validate:"omitempty,oneof=user_name login email login_or_email down_level_logon_name sid object_id dn"`
	Reference   Expressions `yaml:"reference"`
	Description Expressions `yaml:"description"`
	OccurredAt  Expressions `yaml:"occurred_at"`
	// Actor is who caused what is reported. Reports of what resetd itself did are ignored; see OwnActors of the source.
	Actor Expressions `yaml:"actor"`
	// Mode, RevokeSessions and DryRun are fixed for all requests of the source.
	Mode           string `yaml:"mode" validate:"omitempty,oneof=randomize expire recovery"`
	RevokeSessions *bool  `yaml:"revoke_sessions"`
	DryRun         bool   `yaml:"dry_run"`
}

// Expressions are alternatives: the first that gives something counts. One may be written without a list.
type Expressions []string

// Rule is a condition with a reason that a person reads.
type Rule struct {
	If  string `yaml:"if" validate:"required"` // a CEL expression of type bool; the = before it may be left out
	Why string `yaml:"why" validate:"required,max=300"`
}

// Respond says what a sender gets for a delivery that was taken.
type Respond struct {
	// Status is 200, 202 (default) or 204.
	Status int `yaml:"status" validate:"omitempty,oneof=200 202 204"`
	// Body is tasks (default: {"tasks": […]}), empty, or message: {"type":"message","text":…} as Microsoft Teams shows it.
	Body string `yaml:"body" validate:"omitempty,oneof=tasks empty message"`
}

// Verify says how the deliveries of a source are proved to be its own. Which fields count depends on Scheme.
type Verify struct {
	// Scheme is one of standard-webhooks, hmac, shared-secret, mtls, jwt, ssf-set. There is no fallback to another one.
	Scheme string `yaml:"scheme"`
	// Keys are tried all, so that one can be exchanged without a gap: Standard Webhooks keys, HMAC keys, shared secrets, or
	// HS256 secrets.
	Keys []schemas.Secret `yaml:"keys" validate:"max=5"`
	// Tolerance is how far the sender's clock may differ from ours, where it signs its time; zero is five minutes.
	Tolerance time.Duration `yaml:"tolerance" validate:"omitempty,min=1s,max=1h"`
	// HMAC is the template of scheme hmac.
	HMAC HMAC `yaml:"hmac"`
	// Secret says where scheme shared-secret finds its secret. With ssf-set it demands a secret beside the signature (the
	// authorization_header of the stream); Keys are those secrets then, and no HS256 secrets.
	Secret SharedSecret `yaml:"secret"`
	// AllowFrom are the networks that deliveries may come from; mandatory for shared-secret, possible everywhere.
	AllowFrom []string `yaml:"allow_from" validate:"max=256,unique"`
	// Certificate belongs to scheme mtls.
	Certificate Certificate `yaml:"certificate"`
	// Token belongs to the schemes jwt and ssf-set.
	Token Token `yaml:"token"`
}

// SharedSecret says where a static secret stands.
type SharedSecret struct {
	// In is header, bearer, basic or url (the part of the path behind the source's name).
	In     string `yaml:"in" validate:"omitempty,oneof=header bearer basic url"`
	Header string `yaml:"header" validate:"max=128"` // for header
	User   string `yaml:"user" validate:"max=128"`   // for basic
}

// Certificate says which client certificates prove a sender. Names or SPKI must be there; with both, both must hold.
type Certificate struct {
	// CA is a PEM file of the authorities that the certificate must descend from; without it SPKI must be set.
	CA string `yaml:"ca" path:"file"`
	// Names are subject alternative names: dns:…, uri:…, email:…, ip:…; one must be in the certificate.
	Names []string `yaml:"names" validate:"max=32,unique"`
	// SPKI are pins of public keys: sha256/ and the base64 of the SHA-256 of the SubjectPublicKeyInfo (RFC 7469 §2.4).
	SPKI []string `yaml:"spki" validate:"max=32,unique"`
	// ProxyHeader names a header in which a TLS-terminating proxy hands over the certificate (URL-encoded PEM, or the
	// base64 of RFC 9440); it counts only from the addresses in ProxyFrom.
	ProxyHeader string   `yaml:"proxy_header" validate:"max=128"`
	ProxyFrom   []string `yaml:"proxy_from" validate:"max=32,unique"`
}

// Token says which JSON Web Tokens prove a sender.
type Token struct {
	// Issuer is what iss must be; with Discovery, also where the keys are looked up (OpenID Connect Discovery 1.0, or
	// /.well-known/ssf-configuration for ssf-set).
	Issuer string `yaml:"issuer"`
	// JWKS is the URL, or file:PATH, of the keys; without it and without Keys they are discovered from Issuer.
	JWKS string `yaml:"jwks"`
	// CA is a PEM file of authorities for the servers of the keys, beside those of the machine.
	CA         string   `yaml:"ca" path:"file"`
	Audience   []string `yaml:"audience" validate:"max=16,unique"` // one of them must be in aud
	Algorithms []string `yaml:"algorithms" validate:"max=8,unique"`
	Subjects   []string `yaml:"subjects" validate:"max=32,unique"` // sub must be one of them, if there are any
	// Claims are further claims that must have these values, such as azp or appid.
	Claims map[string]string `yaml:"claims" validate:"max=16"`
	// Header carries the token for jwt; default Authorization, with Bearer before it. Any other header holds the token alone.
	Header string `yaml:"header" validate:"max=128"`
	// Untyped also takes security event tokens whose typ is missing or JWT, as older transmitters send them; they must have
	// neither sub nor exp then, as every access and ID token has.
	Untyped bool `yaml:"untyped"`
}
