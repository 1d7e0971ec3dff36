package mapping

import (
	"context"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// The time that the expressions of a delivery may take together, by the clock. It is far beyond what the cost allows them
// on a processor of their own, some 20 ms: a machine that is busy must not refuse what is innocent.
const (
	timeLimit    = time.Second
	timePerEntry = time.Millisecond
)

// Map turns a delivery into requests, all of them or none: one entry that cannot be told refuses the delivery. The problem
// says for each bad entry where it stands, what was looked for and what was found; it quotes nothing of the body but
// accounts, and of them at most 64 characters. It is 400 for what is no JSON, 503 if the expressions took too long on a
// machine that may be busy, and 422 for all else.
func (m *Mapping) Map(ctx context.Context, in Input) (Result, *schemas.Problem) {
	body, p := Decode(in.Body)
	if p != nil {
		return Result{}, p
	}
	started := time.Now()
	whole, cancel := context.WithDeadline(ctx, started.Add(timeLimit))
	defer cancel()
	s := newScope(whole, body, visibleHeaders(in.Header), in.Now)
	for _, r := range m.ignore {
		holds, err := r.holds(s)
		if err != nil {
			return Result{}, failed(r.at, "", err)
		}
		if holds {
			return Result{Ignored: r.why}, nil
		}
	}
	for _, r := range m.refuse {
		holds, err := r.holds(s)
		if err != nil {
			return Result{}, failed(r.at, "", err)
		}
		if holds {
			return Result{}, schemas.NewProblem(422, "refused_by_rule", "A rule of the source refuses this delivery", r.why)
		}
	}
	entries, p := m.entries(s)
	if p != nil {
		return Result{}, p
	}
	each, cancelEach := context.WithDeadline(ctx, started.Add(timeLimit+timePerEntry*time.Duration(len(entries))))
	defer cancelEach()
	s.ctx = each
	s.work.limit += costEntry * uint64(len(entries))
	return m.requests(s, entries)
}

// holds evaluates a rule. One that looks at a member that is not there does not hold.
func (r rule) holds(s *scope) (bool, error) {
	v, found, err := r.eval(s)
	if err != nil || !found {
		return false, err
	}
	holds, _ := v.(bool)
	return holds, nil
}

// requests maps the entries.
func (m *Mapping) requests(s *scope, entries []entry) (Result, *schemas.Problem) {
	var out Result
	var faults faults
	var skipped string
	seen := map[string]bool{}
	for _, e := range entries {
		in := s.with(e.value)
		why, err := m.skips(in)
		if err != nil {
			return Result{}, failed("map.skip_when", e.pointer, err)
		}
		if why != "" {
			out.Skipped++
			skipped = why
			continue
		}
		made, actor, f := m.entry(in)
		if f != nil {
			if f.stop {
				return Result{}, f.problem(e.pointer)
			}
			faults.add(e.pointer, f)
			continue
		}
		for _, r := range made {
			key := string(r.Account.Type) + "\x00" + r.Account.Key() + "\x00" + r.Reference
			if seen[key] {
				continue
			}
			seen[key] = true
			if f := m.invalid(r); f != nil {
				faults.add(e.pointer, f)
				break
			}
			out.Requests = append(out.Requests, r)
			out.Pointers = append(out.Pointers, e.pointer)
			out.Actors = append(out.Actors, actor)
		}
		if len(out.Requests) > schemas.MaxRequests {
			return Result{}, tooManyEntries()
		}
	}
	if p := faults.problem(); p != nil {
		return Result{}, p
	}
	if out.Skipped > 0 && len(out.Requests) == 0 {
		out.Ignored = skipped
	}
	return out, nil
}

// skips gives why an entry is left out; empty if it is not.
func (m *Mapping) skips(s *scope) (string, error) {
	for _, r := range m.skip {
		if holds, err := r.holds(s); err != nil || holds {
			return r.why, err
		}
	}
	return "", nil
}

// invalid checks a request against the tags of its type.
func (m *Mapping) invalid(r schemas.Request) *fault {
	p := m.check.Check(&r)
	if p == nil {
		return nil
	}
	var all []string
	for _, e := range p.Errors {
		all = append(all, strings.TrimPrefix(e.Pointer, "/")+": "+e.Detail)
	}
	return &fault{kind: kindInvalid, detail: strings.Join(all, "; ")}
}
