package signature

import (
	"net/http"
	"regexp/syntax"
	"time"
)

// SignTemplate makes the headers of a delivery as a sender of the template would: the signature, the time if it is
// signed, and the id if there is an id header and an id. What r.Header holds of them is not used; the headers that the
// template signs or requires besides are taken from it, and are not repeated in the result. The time is cut to what the
// format can express and does not count if it is not signed.
//
// The error is that of [NewTemplateVerifier], or that of [TemplateVerifier.Verify], as nothing is returned that the
// verifier would refuse; or [ReasonBadTemplate] for a Pick or TimestampPick that is more than literal text around its
// group, of which no header can be made.
func SignTemplate(t Template, key string, r TemplateRequest, id string, at time.Time) (http.Header, error) {
	v, err := NewTemplateVerifier(t, []string{key}, TemplateOptions{})
	if err != nil {
		return nil, err
	}
	l, made, timestamp := v.layout, http.Header{}, ""
	if l.timed {
		timestamp = l.time.write(at)
	}
	if l.timestampHeader != "" {
		made.Set(l.timestampHeader, timestamp)
	}
	if l.idHeader != "" && id != "" {
		if !validID(id) {
			return nil, malformedID(l.idHeader, id)
		}
		made.Set(l.idHeader, id)
	}
	all := TemplateRequest{Method: r.Method, Path: r.Path, Header: r.Header.Clone(), Body: r.Body}
	if all.Header == nil {
		all.Header = http.Header{}
	}
	for name, values := range made {
		all.Header[name] = values
	}
	head, tail, err := l.render(all, timestamp, id)
	if err != nil {
		return nil, err
	}
	text, err := l.write(t, timestamp, encode(l.encoding, v.signers[0](nil, timestamp, head, r.Body, tail)))
	if err != nil {
		return nil, err
	}
	made.Set(l.signatureHeader, text)
	all.Header[l.signatureHeader] = made[l.signatureHeader]
	if _, err := v.Verify(all, at); err != nil {
		return nil, err
	}
	return made, nil
}

// write puts a signature header together.
func (l *layout) write(t Template, timestamp, mac string) (string, error) {
	text := l.prefix + mac
	if l.pick != nil {
		before, after, ok := around(t.Pick)
		if !ok {
			return "", refuse(ReasonBadTemplate, "pick: no header can be made of it, since it is more than literal text around its group; sign with the sender's own tools")
		}
		text = before + mac + after
	}
	if l.timestampPick != nil {
		before, after, ok := around(t.TimestampPick)
		if !ok {
			return "", refuse(ReasonBadTemplate, "timestamp_pick: no header can be made of it, since it is more than literal text around its group; sign with the sender's own tools")
		}
		text = before + timestamp + after + l.separator + text
	}
	return text, nil
}

// around returns the literal text before and behind the group of an expression that has nothing else.
func around(pattern string) (before, after string, ok bool) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", "", false
	}
	parts := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		parts = tree.Sub
	}
	text := [2]string{}
	side := 0
	for _, part := range parts {
		switch {
		case part.Op == syntax.OpCapture:
			side = 1
		case part.Op == syntax.OpLiteral && part.Flags&syntax.FoldCase == 0:
			text[side] += string(part.Rune)
		case part.Op != syntax.OpBeginText && part.Op != syntax.OpEndText && part.Op != syntax.OpEmptyMatch:
			return "", "", false
		}
	}
	return text[0], text[1], side == 1
}
