package verify

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas/signature"
)

// How an issuer's keys are kept.
const (
	freshFor     = 15 * time.Minute // then they are fetched again when a token comes
	usableFor    = 24 * time.Hour   // while the issuer does not answer; what it withdrew must not hold for ever
	betweenTries = 30 * time.Second // at least, whatever tokens come
	firstTries   = 5 * time.Second  // at least, as long as there are no keys at all
	fetchTimeout = 5 * time.Second  // of all requests of one try
	patience     = 2 * time.Second  // of a delivery that could do with the keys that are there
)

// keySource has the public keys of an issuer. They are fetched when the first token needs them, again when they are old or
// a token names one that is unknown, and never more often than betweenTries, or firstTries while there are none: a flood of
// tokens with invented key ids is no flood for the issuer. One try serves all who wait for it.
type keySource struct {
	fetch  func(ctx context.Context) ([]publicKey, error)
	now    func() time.Time
	logger zerolog.Logger

	timeout, patience time.Duration

	mu     sync.Mutex
	keys   *keySet
	tried  time.Time     // when the last try began
	err    error         // what came of the last try that has ended
	flight chan struct{} // closed when the try that is under way ends; nil if there is none
}

// keySet is what was fetched at a time. It does not change.
type keySet struct {
	all []publicKey
	at  time.Time
}

// of gives the keys that may have signed a token: those with its kid, and those that have none, or all if the token names
// none, as far as they fit its algorithm. Named tells that its kid is there, whatever the key is for.
func (s *keySet) of(t *jws) (fit []publicKey, named bool) {
	for _, k := range s.all {
		if t.kid != "" && k.id != "" && k.id != t.kid {
			continue
		}
		named = named || t.kid != "" && k.id == t.kid
		if k.fits(t.alg) && len(fit) < maxTried {
			fit = append(fit, k)
		}
	}
	return fit, named
}

// check implements keyring.
func (s *keySource) check(ctx context.Context, t *jws) error {
	set, err := s.get(ctx, func(set *keySet) bool {
		fit, named := set.of(t)
		return named || len(fit) > 0
	})
	if err != nil {
		return err
	}
	err = set.check(t)
	if _, named := set.of(t); err == nil || named {
		return err
	}
	// The keys were guessed at, and the right one may be newer than all of them.
	newer, failed := s.get(ctx, func(other *keySet) bool { return other.at.After(set.at) })
	if failed != nil {
		return err
	}
	return newer.check(t)
}

func (s *keySet) check(t *jws) error {
	fit, named := s.of(t)
	switch {
	case len(fit) == 0 && named:
		return refuse(ReasonWrongAlgorithm, "the key that the token names is not for the algorithm that it names")
	case len(fit) == 0:
		return refuse(ReasonUnknownKey, "the issuer has no usable key for this token; if the key is new, send the delivery again in half a minute")
	}
	for _, k := range fit {
		if t.signedBy(k.key) {
			return nil
		}
	}
	return refuse(Reason(signature.ReasonNoMatch), "no key of the issuer made the token's signature")
}

// get gives the keys, after having tried to fetch newer ones if these are old or not enough for the token. Its error is an
// *Error with ReasonKeysUnavailable: there are none, or too few and the issuer does not answer.
func (s *keySource) get(ctx context.Context, enough func(*keySet) bool) (*keySet, error) {
	s.mu.Lock()
	set := s.usable()
	if set != nil && s.now().Sub(set.at) <= freshFor && enough(set) {
		s.mu.Unlock()
		return set, nil
	}
	flight := s.start(ctx)
	s.mu.Unlock()
	if flight != nil {
		limit := s.timeout
		if set != nil {
			limit = s.patience
		}
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-flight:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set = s.usable()
	failing := s.err != nil || s.flight != nil
	if set == nil || failing && !enough(set) {
		return nil, refuse(ReasonKeysUnavailable, "the token's issuer does not give its keys just now; send the delivery again later, and see resetd's log for the cause")
	}
	return set, nil
}

// usable gives the keys that are there unless they are too old. The lock is held.
func (s *keySource) usable() *keySet {
	if s.keys == nil || s.now().Sub(s.keys.at) > usableFor {
		return nil
	}
	return s.keys
}

// start begins a try if it is time for one, and gives what is closed when it ends; nil if there is none under way. The try
// goes on when the delivery that began it is gone, as others wait too. The lock is held.
func (s *keySource) start(ctx context.Context) chan struct{} {
	now, pause := s.now(), betweenTries
	if s.keys == nil {
		pause = firstTries
	}
	if s.flight != nil || !s.tried.IsZero() && now.Sub(s.tried) < pause {
		return s.flight
	}
	s.tried, s.flight = now, make(chan struct{})
	go s.try(context.WithoutCancel(ctx), now, s.timeout)
	return s.flight
}

// try fetches the keys once. What was there stays if it fails.
func (s *keySource) try(ctx context.Context, now time.Time, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	keys, err := s.fetch(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && s.usable() == nil:
		s.logger.Error().Err(err).Msg("the keys of a token issuer cannot be fetched; its deliveries are answered with 503")
	case err != nil:
		s.logger.Warn().Err(err).Time("since", s.keys.at).Msg("the keys of a token issuer cannot be fetched; those that were fetched before go on")
	default:
		if s.err != nil {
			s.logger.Info().Msg("the keys of a token issuer can be fetched again")
		}
		s.keys = &keySet{all: keys, at: now}
	}
	s.err = err
	close(s.flight)
	s.flight = nil
}
