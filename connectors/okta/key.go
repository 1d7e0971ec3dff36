package okta

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/resetd/resetd/connectors"
)

// signer makes a signed JWT of claims.
type signer func(claims any) (string, error)

// readKey reads a private key, PEM or JWK. What is wrong with it is told without any part of it.
func readKey(setting, text, kid string) (signer, error) {
	key, own, err := parseKey(strings.TrimSpace(text))
	if err != nil {
		return nil, connectors.Mistake(setting, "%w", err)
	}
	if kid == "" {
		kid = own
	}
	algorithm, err := algorithmOf(key)
	if err != nil {
		return nil, connectors.Mistake(setting, "%w", err)
	}
	sign, err := newSigner(algorithm, jose.JSONWebKey{Key: key, KeyID: kid}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, connectors.Mistake(setting, "this key cannot sign; make a new one of 2048 bits (RSA) or on P-256 (EC)")
	}
	return sign, nil
}

// parseKey gives the key, and its id if it has one.
func parseKey(text string) (key any, kid string, err error) {
	if strings.HasPrefix(text, "{") {
		var one jose.JSONWebKey
		if one.UnmarshalJSON([]byte(text)) != nil || !one.Valid() {
			return nil, "", errors.New("this is no JWK; Okta shows one under \"Generate new key\" beside the PEM form")
		}
		if one.IsPublic() {
			return nil, "", errors.New("this is the public half of the key; give the private one")
		}
		return one.Key, one.KeyID, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "", errors.New("this is neither PEM (BEGIN PRIVATE KEY) nor a JWK")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, "", errors.New("this key has a pass phrase; store it without one, in a file that only resetd may read")
	default:
		return nil, "", errors.New("this PEM holds no private key (BEGIN PRIVATE KEY)")
	}
	if err != nil {
		return nil, "", errors.New("the private key in this PEM cannot be read; copy it again")
	}
	return key, "", nil
}

// algorithmOf gives the algorithm for a key, out of those that Okta takes for client assertions.
func algorithmOf(key any) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() >= 2048 {
			return jose.RS256, nil
		}
		return "", errors.New("this RSA key has fewer than 2048 bits; make a new one")
	case *ecdsa.PrivateKey:
		for name, algorithm := range map[string]jose.SignatureAlgorithm{"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512} {
			if k.Curve.Params().Name == name {
				return algorithm, nil
			}
		}
	}
	return "", errors.New("this is neither an RSA key nor an EC key on P-256, P-384 or P-521, and Okta takes no other")
}

// newSigner binds a key.
func newSigner(algorithm jose.SignatureAlgorithm, key any, options *jose.SignerOptions) (signer, error) {
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		return nil, err
	}
	return func(claims any) (string, error) {
		text, err := json.Marshal(claims)
		if err != nil {
			return "", err
		}
		signed, err := made.Sign(text)
		if err != nil {
			return "", err
		}
		return signed.CompactSerialize()
	}, nil
}
