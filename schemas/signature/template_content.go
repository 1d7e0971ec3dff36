package signature

import (
	"net/http"
	"strings"
)

const (
	maxMethodLen = 16
	maxValueLen  = 1024 // of a path, or of a header that is signed
)

// TemplateRequest is what a sender's delivery consists of.
type TemplateRequest struct {
	// Method and Path count only if the template signs them. Path is the path as it was requested, escapes and all,
	// without its query; a proxy that rewrites it breaks the signature.
	Method, Path string
	// Header has its keys in the canonical form of net/http.
	Header http.Header
	// Body is raw, as it arrived. It is not changed and not kept.
	Body []byte
}

// render returns what is signed before the body and behind it. Every value is checked against its own form and
// against the byte at which it must end.
func (l *layout) render(r TemplateRequest, timestamp, id string) (head, tail []byte, err error) {
	into := &head
	for _, p := range l.content {
		value := ""
		switch p.kind {
		case partBody:
			into = &tail
			continue
		case partLiteral:
			value = p.text
		case partTimestamp:
			value = timestamp
		case partID:
			value = id
			if ends(value, p.stop) {
				return nil, nil, refuse(ReasonMalformedID, "%s holds the character that separates it from the rest of the signed text; it could be read in two ways", l.idHeader)
			}
		case partMethod:
			if value = r.Method; !validMethod(value) || ends(value, p.stop) {
				return nil, nil, refuse(ReasonMalformedRequest, "the method is not 1 to %d capital letters, or holds its separator in the signed text", maxMethodLen)
			}
		case partPath:
			if value = r.Path; !validPath(value) || ends(value, p.stop) {
				return nil, nil, refuse(ReasonMalformedRequest, "the path is not printable ASCII of at most %d bytes that begins with a slash, or holds its separator in the signed text", maxValueLen)
			}
		case partHeader:
			if value, err = single(r.Header, p.text, p.text, adviceTemplate); err != nil {
				return nil, nil, err
			}
			if len(value) > maxValueLen || !printable(value) || ends(value, p.stop) {
				return nil, nil, refuse(ReasonMalformedRequest, "%s is not printable ASCII of at most %d bytes, or holds its separator in the signed text", p.text, maxValueLen)
			}
		}
		*into = append(*into, value...)
	}
	return head, tail, nil
}

// ends reports whether value holds the byte at which it should end only.
func ends(value string, stop int) bool { return stop >= 0 && strings.IndexByte(value, byte(stop)) >= 0 }

func validMethod(method string) bool {
	for i := range len(method) {
		if method[i] < 'A' || method[i] > 'Z' {
			return false
		}
	}
	return method != "" && len(method) <= maxMethodLen
}

func validPath(path string) bool {
	return strings.HasPrefix(path, "/") && len(path) <= maxValueLen && printable(path) && !strings.ContainsAny(path, " ?#")
}
