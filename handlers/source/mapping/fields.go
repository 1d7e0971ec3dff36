package mapping

import (
	"errors"
	"fmt"
	"time"

	"github.com/resetd/resetd/schemas"
)

// entry makes the requests of one entry.
func (m *Mapping) entry(s *scope) ([]schemas.Request, string, *fault) {
	found, f := m.accounts(s)
	if f != nil {
		return nil, "", f
	}
	r := schemas.Request{Mode: schemas.Mode(m.fixed.Mode), RevokeSessions: m.fixed.RevokeSessions, DryRun: m.fixed.DryRun}
	var actor string
	for _, t := range []struct {
		at     string
		from   alternatives
		into   *string
		length int
		lines  bool
	}{
		{"map.reference", m.fields.reference, &r.Reference, maxReference, false},
		{"map.description", m.fields.description, &r.Description, maxDescription, true},
		{"map.actor", m.fields.actor, &actor, maxActor, false},
	} {
		if *t.into, f = m.text(s, t.at, t.from, t.length, t.lines); f != nil {
			return nil, "", f
		}
	}
	if r.OccurredAt, f = m.time(s); f != nil {
		return nil, "", f
	}
	out := make([]schemas.Request, len(found))
	for i, a := range found {
		out[i] = r
		out[i].Account = a
	}
	return out, actor, nil
}

// accounts tries the alternatives for the account. A value that is there and refused ends the search: what another
// alternative gives may be somebody else.
func (m *Mapping) accounts(s *scope) ([]schemas.Account, *fault) {
	var tried looked
	for i, e := range m.fields.account {
		v, found, err := e.eval(s)
		if err != nil {
			return nil, errorFault(fmt.Sprintf("map.account[%d]", i), err)
		}
		if !found || absent(v) {
			tried.add(e, v, found)
			continue
		}
		out, err := accounts(s, v, schemas.AccountType(m.fixed.AccountType))
		if err == errAbsent {
			tried.add(e, v, found)
			continue
		}
		if _, costly := errors.AsType[limitError](err); costly {
			return nil, errorFault(fmt.Sprintf("map.account[%d]", i), err)
		}
		if err != nil {
			return nil, &fault{kind: kindUncertain, detail: fmt.Sprintf("map.account[%d] (%s)%s: %v", i, e.name(), e.quote(v), err)}
		}
		return out, nil
	}
	return nil, &fault{kind: kindNoAccount, detail: "looked for " + tried.String()}
}

func (m *Mapping) text(s *scope, at string, from alternatives, longest int, lines bool) (string, *fault) {
	for i, e := range from {
		v, found, err := e.eval(s)
		if err != nil {
			return "", errorFault(fmt.Sprintf("%s[%d]", at, i), err)
		}
		if !found {
			continue
		}
		if t, ok := flatten(v); ok {
			if err := s.charge(uint64(min(len(t), 2*longest) / bytesPerCleaning)); err != nil {
				return "", errorFault(fmt.Sprintf("%s[%d]", at, i), err)
			}
			if t = clean(t, longest, lines); t != "" {
				return t, nil
			}
		}
	}
	return "", nil
}

// time reads when it happened. A time that is there and cannot be read is a fault: where a sender signs no time, it is
// what keeps an old delivery from being sent again.
func (m *Mapping) time(s *scope) (time.Time, *fault) {
	for i, e := range m.fields.occurredAt {
		v, found, err := e.eval(s)
		if err != nil {
			return time.Time{}, errorFault(fmt.Sprintf("map.occurred_at[%d]", i), err)
		}
		t, ok := flatten(v)
		if !found || absent(v) || ok && t == "0" {
			continue
		}
		at, readable := parseTime(t)
		if !ok || !readable {
			return time.Time{}, &fault{kind: kindInvalid, detail: fmt.Sprintf(
				"map.occurred_at[%d] (%s): this is no time; RFC 3339 (2026-11-22T07:00:00Z) and seconds or milliseconds since 1970 are read", i, e.name())}
		}
		if at.Year() > 1 { // the first year is how some programs write that there is no time
			return at, nil
		}
	}
	return time.Time{}, nil
}
