package source

import (
	"fmt"
	"reflect"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// DefaultMaxAge is the age up to which a report is taken, where its proof does not cover the time of sending.
const DefaultMaxAge = 24 * time.Hour

// How long a body that was seen before counts as the same delivery. Senders repeat what failed for hours at the most; where
// they sign the time, nobody else can. A source whose proof does not cover the body has no replays to fear that its sender
// could not make anew, and may well send the same short body for a second, later case; nor can anybody but its sender open
// a connection with its certificate.
const (
	repeatSigned   = 24 * time.Hour
	repeatTimed    = 2 * time.Hour
	repeatUnsigned = 15 * time.Minute
)

// weakLater is what somebody could do who has kept a delivery whose id is signed, and whose time is not.
const weakLater = "the scheme signs no time: a delivery that was seen could be sent again when the ledger has forgotten its id (retention.tasks); it is refused by its occurred_at then"

// compensate settles what is done about that which the proof does not cover, and what the configuration demands beyond it.
func (s *Source) compensate(c Config, covers verify.Coverage) {
	if s.Weak = covers.Weak(); s.Weak == "" && !covers.Time {
		s.Weak = weakLater
	}
	if !covers.ID {
		switch {
		case !covers.Body, s.Scheme == schemeMTLS:
			s.Repeat.Within = repeatUnsigned
		case covers.Time:
			s.Repeat.Within = repeatTimed
		default:
			s.Repeat = schemas.Repeat{Within: repeatSigned, Refuse: true}
		}
		if c.RepeatWithin > 0 {
			s.Repeat.Within = c.RepeatWithin
		}
	}
	switch {
	case c.MaxAge > 0:
		s.maxAge = c.MaxAge
	case !covers.Time || s.Scheme == schemeSET: // a token's time of issue is signed, but nothing bounds its age
		s.maxAge = DefaultMaxAge
	}
}

// withoutEffect finds settings of the configuration that would change nothing: whoever wrote them believes that they protect
// something. The profile is that of the source over its preset.
func withoutEffect(c Config, p sender.Profile) (bad []*Fault) {
	add := func(path, text string) { bad = append(bad, &Fault{Path: path, Text: text}) }
	own, its := p.Read.As == asNative, c.Profile
	switch {
	case own && p.Verify.Scheme == schemeSET:
		add("read.as", "a security event token is no body of resetd's own; write read: {as: json} and a map, or take the preset ssf")
	case own:
		const instead = "resetd's own body (read.as: native) is not mapped, and no rule looks at it; remove this, or write read: {as: json} and a map"
		if saysSomething(its.Map) {
			add("map", instead)
		}
		if len(its.IgnoreWhen) > 0 {
			add("ignore_when", instead)
		}
		if len(its.RefuseWhen) > 0 {
			add("refuse_when", instead)
		}
	}
	if its.Read.Field != "" && p.Read.As != "form" {
		add("read.field", "only a form has fields; write as: form beside it, or remove it")
	}
	if len(c.OwnActors) > 0 && (own || len(p.Map.Actor) == 0) {
		add("own_actors", "nothing tells who caused what is reported; write map.actor, or remove this and leave reports of resets out by a rule (ignore_when, map.skip_when)")
	}
	if c.MaxAge > 0 && !own && p.Verify.Scheme != schemeSET && len(p.Map.OccurredAt) == 0 {
		add("max_age", "nothing tells how old a report is; write map.occurred_at, or remove this")
	}
	return bad
}

// wrongRepeat tells what is wrong with repeat_within; nothing if it is not written.
func wrongRepeat(c Config, p sender.Profile, covers verify.Coverage) []*Fault {
	tolerance := p.Verify.Tolerance
	if tolerance == 0 {
		tolerance = signature.DefaultTolerance
	}
	switch least := 2 * tolerance; {
	case c.RepeatWithin == 0:
	case covers.ID:
		return []*Fault{{Path: "repeat_within", Text: "the scheme signs an id, by which a delivery is known again as long as the ledger remembers it; remove this"}}
	case covers.Time && c.RepeatWithin < least:
		return []*Fault{{Path: "repeat_within", Text: fmt.Sprintf("a delivery that was seen could be sent again as long as its time holds; write %s or more, or a shorter verify.tolerance", least)}}
	}
	return nil
}

// saysSomething tells whether any part of a map is written.
func saysSomething(m sender.Map) bool { return !reflect.ValueOf(m).IsZero() }
