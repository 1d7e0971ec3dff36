package connectors

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Preflight tells whether a request of that mode may be sent to the system: the operator's permission first, then the
// vendor's rights and the modes by a probe. A good probe is believed for a while, a bad one never, so that a right which
// was granted just now counts at once. Many calls at the same time share one probe. An empty mode asks for the operator's
// permission alone, for who sets no password.
//
// The errors are permission_missing with what to grant, unenforced for a mode other than randomize where the system would
// not demand the change, unsupported for a mode that the system does not have, and those of
// the probe.
func (s *Set) Preflight(ctx context.Context, system string, mode schemas.Mode) error {
	one, err := s.find(system)
	if err != nil {
		return err
	}
	_, err = observed(ctx, one, string(schemas.StepPreflight), func() (struct{}, error) { return struct{}{}, one.preflight(ctx, mode) })
	return err
}

func (s *system) preflight(ctx context.Context, mode schemas.Mode) error {
	if err := s.permitted(); err != nil || mode == "" {
		return err
	}
	got, err := s.capabilities(ctx)
	if err != nil {
		return err
	}
	if len(got.Missing) > 0 {
		return schemas.Fail(schemas.CodePermissionMissing, "%s", s.detail(strings.Join(got.Missing, "; ")))
	}
	if len(got.Unenforced) > 0 && mode != schemas.ModeRandomize { // a random password still ends the use of a stolen one
		return schemas.Fail(schemas.CodeUnenforced, "%s", s.detail(strings.Join(got.Unenforced, "; ")))
	}
	if !slices.Contains(got.Modes, mode) {
		return schemas.Fail(schemas.CodeUnsupported, "the system %s cannot do the mode %s here; it can do: %s",
			s.Name, mode, orNone(got.Modes))
	}
	return nil
}

// granted tells whether the operator lets resetd act here.
func (s *system) granted() bool { return s.Permitted != nil && s.Permitted() }

// permitted asks for the policy enforcement permission.
func (s *system) permitted() error {
	if s.granted() {
		return nil
	}
	return schemas.Fail(schemas.CodePermissionMissing, "%s", s.detail(s.notPermitted()+"; then retry the task"))
}

// notPermitted says why resetd may not act here, and how to change that. After a withdrawal the configuration does not
// count, so it is not offered then.
func (s *system) notPermitted() string {
	if s.Permission != nil {
		if p := s.Permission(); p.From == schemas.FromRunTime && p.Permission == schemas.PermissionNotGranted {
			text := "the permission for " + s.Name + " was withdrawn"
			if p.By != "" {
				text += " by " + p.By + " on " + p.At.UTC().Format("2006-01-02 15:04 UTC")
			}
			if p.Reason != "" {
				text += " (" + p.Reason + ")"
			}
			return text + "; an admin grants it by `resetd systems grant " + s.Name + "`"
		}
	}
	return "resetd has no permission to act on " + s.Name + ": an admin grants it by `resetd systems grant " + s.Name +
		"`, or write `enforcement: granted` below `- name: " + s.Name + "` in the configuration and restart"
}

// probe asks the connector. Raw, if not nil, gets its error as it is; nothing of that may be shown.
func (s *system) probe(ctx context.Context, raw *error) (schemas.Capabilities, error) {
	return call(ctx, s, stepProbe, func(ctx context.Context) (schemas.Capabilities, error) {
		got, err := s.Connector.Probe(ctx)
		if raw != nil {
			*raw = err
		}
		got.Product, got.Limit = s.detail(got.Product), s.detail(got.Limit)
		if got.TLS != nil {
			got.TLS = &schemas.TLS{Version: s.detail(got.TLS.Version), Until: got.TLS.Until}
		}
		got.Missing, got.Unenforced, got.Warn = s.details(got.Missing), s.details(got.Unenforced), s.details(got.Warn)
		return got, err
	})
}

// probeCache is the last good answer to a probe, and what the last check found.
type probeCache struct {
	mu      sync.Mutex
	got     schemas.Capabilities
	until   time.Time
	checked *schemas.Check
}

// capabilities gives the answer that is still believed, or a new one. The probe belongs to nobody in particular: one caller
// that gives up does not take it away from the others.
func (s *system) capabilities(ctx context.Context) (schemas.Capabilities, error) {
	if got, ok := s.remembered(); ok {
		return got, nil
	}
	answer := s.probes.DoChan("", func() (any, error) {
		if got, ok := s.remembered(); ok {
			return got, nil
		}
		// The rate may hold the probe back, so its own time-out does not bound it; several may have a turn before it.
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*s.Timeout+10*s.pace.every)
		defer cancel()
		got, err := s.probe(free, nil)
		if err == nil && len(got.Missing)+len(got.Unenforced) == 0 {
			s.remember(got)
		}
		return got, err
	})
	select {
	case a := <-answer:
		got, _ := a.Val.(schemas.Capabilities)
		return got, a.Err
	case <-ctx.Done():
		return schemas.Capabilities{}, schemas.Fail(schemas.CodeTimedOut,
			"the preflight was given up before the system answered; nothing was changed").Because(ctx.Err())
	}
}

func (s *system) remembered() (schemas.Capabilities, bool) {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	return s.known.got, s.options.Now().Before(s.known.until)
}

func (s *system) remember(got schemas.Capabilities) {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.got, s.known.until = got, s.options.Now().Add(s.options.ProbeTTL)
}

// forgetAfter drops what is believed when a call shows that it is no longer so.
func (s *system) forgetAfter(c schemas.Code) {
	if c != schemas.CodePermissionMissing && c != schemas.CodeBadCredentials {
		return
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.until = time.Time{}
}

func orNone(modes []schemas.Mode) string {
	if len(modes) == 0 {
		return "none"
	}
	texts := make([]string, len(modes))
	for i, m := range modes {
		texts[i] = string(m)
	}
	return strings.Join(texts, ", ")
}
