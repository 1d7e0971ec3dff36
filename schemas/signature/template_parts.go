package signature

import (
	"net/http"
	"regexp"
	"strings"
)

type partKind int

const (
	partLiteral partKind = iota
	partBody
	partTimestamp
	partID
	partMethod
	partPath
	partHeader
	partSecret
)

// part is a piece of a template: a literal, or a token.
type part struct {
	kind partKind
	text string // the literal, or the canonical name of the header
	stop int    // the byte that the value must not hold, because it ends there; -1 for none
}

// The tokens, by the template that may have them. {header:X} comes on top in the content.
var (
	keyTokens     = map[string]partKind{"secret": partSecret, "timestamp": partTimestamp}
	contentTokens = map[string]partKind{
		"body": partBody, "timestamp": partTimestamp, "id": partID, "method": partMethod, "path": partPath,
	}
)

// likeToken decides whether an unknown token is shown in an error. Something with digits may be a key that was written
// into the wrong field.
var likeToken = regexp.MustCompile(`^[A-Za-z_:-]{1,40}$`)

// split takes a template apart. Every token may stand in it once.
func split(field, text string, known map[string]partKind, faults *faults) []part {
	var parts []part
	seen := map[string]bool{}
	for rest := text; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			return append(parts, part{kind: partLiteral, text: rest, stop: -1})
		}
		if i > 0 {
			parts = append(parts, part{kind: partLiteral, text: rest[:i], stop: -1})
		}
		name, after, closed := strings.Cut(rest[i+1:], "}")
		if rest[i] == '}' || !closed || strings.Contains(name, "{") {
			faults.add(field, "the braces do not pair; they are for tokens only")
			return parts
		}
		rest = after
		p, ok := token(name, known)
		switch {
		case !ok && likeToken.MatchString(name):
			faults.add(field, "there is no token {%s} here; use %s", name, tokenList(known))
		case !ok:
			faults.add(field, "an unknown token stands at byte %d; use %s", len(text)-len(after)-len(name)-1, tokenList(known))
		case seen[p.token()]:
			faults.add(field, "%s stands in it twice; once is enough", p.token())
		default:
			seen[p.token()] = true
			parts = append(parts, p)
		}
	}
	return parts
}

func token(name string, known map[string]partKind) (part, bool) {
	if kind, ok := known[name]; ok {
		return part{kind: kind, stop: -1}, true
	}
	header, ok := strings.CutPrefix(name, "header:")
	if _, content := known["body"]; !ok || !content || !validHeaderName(header) {
		return part{}, false
	}
	return part{kind: partHeader, text: http.CanonicalHeaderKey(header), stop: -1}, true
}

func tokenList(known map[string]partKind) string {
	if _, content := known["body"]; content {
		return "{body}, {timestamp}, {id}, {method}, {path}, {header:Name}"
	}
	return "{secret}, {timestamp}"
}

// token returns the part as it is written.
func (p part) token() string {
	switch p.kind {
	case partBody:
		return "{body}"
	case partTimestamp:
		return "{timestamp}"
	case partID:
		return "{id}"
	case partMethod:
		return "{method}"
	case partPath:
		return "{path}"
	case partHeader:
		return "{header:" + p.text + "}"
	case partSecret:
		return "{secret}"
	default:
		return "the literal"
	}
}

// delimit sees to it that a signed text can be cut in one way only: from its beginning up to the body, and from its
// end back to the body. Times need nothing, see timeFormat. Every other value ends at the literal between it and the
// body, whose nearest byte it must not hold. A method may also end at the slash of a path.
func delimit(parts []part, faults *faults) {
	body := index(parts, partBody)
	for i := range parts {
		p := &parts[i]
		switch p.kind {
		case partLiteral, partBody, partTimestamp:
			continue
		}
		var next part
		if i < body {
			next = parts[i+1]
		} else {
			next = parts[i-1]
		}
		switch {
		case next.kind == partLiteral && i < body:
			p.stop = int(next.text[0])
		case next.kind == partLiteral:
			p.stop = int(next.text[len(next.text)-1])
		case p.kind == partMethod && next.kind == partPath && i < body:
		default:
			faults.add("content_template", "%s touches %s, so that one signed text could be cut in two ways; if the sender puts nothing between them, its signature cannot be used", p.token(), next.token())
		}
	}
}

// index returns the place of the first part of a kind, or -1.
func index(parts []part, kind partKind) int {
	for i, p := range parts {
		if p.kind == kind {
			return i
		}
	}
	return -1
}
