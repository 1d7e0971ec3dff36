package signature

// NewTrustingVerifier is NewTemplateVerifier without its look at the keys: some published vectors are made with a key
// that is refused for being published.
func NewTrustingVerifier(t Template, key string) *TemplateVerifier {
	l, _ := compile(t)
	tolerance, _ := toleranceSeconds(0)
	return &TemplateVerifier{layout: l, signers: []signer{l.signer([]byte(key))}, tolerance: tolerance}
}
