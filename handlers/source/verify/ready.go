package verify

import "context"

// Ready tells whether a scheme has all that it must fetch before it can verify, and fetches it if need be; only public keys
// of token issuers are ever fetched. The error says why they cannot be had, for an operator and not for a sender. A
// check asks this; a delivery needs it not.
func Ready(ctx context.Context, s Scheme) error {
	if g, ok := s.(*guarded); ok {
		s = g.Scheme
	}
	var keys keyring
	switch s := s.(type) {
	case *bearerJWT:
		keys = s.rules.keys
	case *eventToken:
		keys = s.rules.keys
	}
	source, ok := keys.(*keySource)
	if !ok {
		return nil
	}
	_, err := source.get(ctx, func(*keySet) bool { return true })
	source.mu.Lock()
	defer source.mu.Unlock()
	if source.err != nil {
		return source.err
	}
	return err
}
