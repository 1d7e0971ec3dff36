package verify

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas/sender"
)

// sharedSecret is a static secret that comes with every delivery. It proves the sender to whoever has not seen a delivery,
// which is why deliveries must come from known networks too.
type sharedSecret struct{ place place }

func openSharedSecret(v sender.Verify, _ Options, f *faults) Scheme {
	if len(v.AllowFrom) == 0 {
		f.add("allow_from", "scheme shared-secret needs the networks that the sender sends from, as its secret can be seen and sent again; write them, such as [192.0.2.0/24]")
	}
	return &sharedSecret{openPlace(v, f)}
}

// Verify implements Scheme. The address was looked at before.
func (s *sharedSecret) Verify(_ context.Context, d *Delivery, _ time.Time) (Proof, error) {
	if err := s.place.check(d); err != nil {
		return Proof{}, err
	}
	return Proof{Payload: d.Body, Who: s.place.who}, nil
}

// Covers implements Scheme.
func (*sharedSecret) Covers() Coverage { return Coverage{} }
