package signature

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

const (
	defaultMinKeyBytes = 16
	maxMinKeyBytes     = 128
	maxHeaderNameLen   = 128
	maxRequiredHeaders = 8
)

// layout is a template with its defaults, taken apart.
type layout struct {
	hash            func() hash.Hash
	size            int    // of the signature in bytes
	signatureHeader string // canonical, as all header names here
	prefix          string
	separator       string // empty: the header is one entry
	pick            *regexp.Regexp
	encoding        string
	keyFormat       string
	minKeyBytes     int
	key             []part
	content         []part
	timed           bool // the time is signed, in the key or in the content
	timestampHeader string
	timestampPick   *regexp.Regexp
	time            timeFormat
	idHeader        string
	signsID         bool
	required        []string
}

// faults collects everything that is wrong with a template.
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, refuse(ReasonBadTemplate, "%s: %s", field, fmt.Sprintf(format, args...)))
}

// compile always returns a layout; it is of use only if there are no faults.
func compile(t Template) (*layout, faults) {
	var f faults
	l := &layout{prefix: t.SignaturePrefix, minKeyBytes: t.MinKeyBytes}
	for _, field := range []struct {
		name, text string
		most       int
	}{
		{"signature_prefix", t.SignaturePrefix, 32}, {"pick", t.Pick, 200}, {"timestamp_pick", t.TimestampPick, 200},
		{"key_template", t.KeyTemplate, 200}, {"content_template", t.ContentTemplate, 500},
	} {
		if len(field.text) > field.most {
			f.add(field.name, "it has %d bytes, %d are allowed", len(field.text), field.most)
		}
	}
	f.choose("algorithm", t.Algorithm, "sha256", "sha512", "sha1")
	switch t.Algorithm {
	case "sha1":
		l.hash, l.size = sha1.New, sha1.Size
	case "sha512":
		l.hash, l.size = sha512.New, sha512.Size
	default:
		l.hash, l.size = sha256.New, sha256.Size
	}
	l.encoding = f.choose("encoding", t.Encoding, "hex", "base64", "base64url")
	l.keyFormat = f.choose("key_format", t.KeyFormat, "raw", "base64", "base64url", "hex")
	l.time = timeFormats[f.choose("timestamp_format", t.TimestampFormat, "unix", "unix_ms", "rfc3339")]
	if l.minKeyBytes == 0 {
		l.minKeyBytes = defaultMinKeyBytes
	} else if l.minKeyBytes < 0 || l.minKeyBytes > maxMinKeyBytes {
		f.add("min_key_bytes", "it is 1 to %d; leave it out for %d", maxMinKeyBytes, defaultMinKeyBytes)
	}
	l.compileSignature(t, &f)
	l.compileTemplates(t, &f)
	l.compileTime(t, &f)
	l.compileHeaders(t, &f)
	return l, f
}

// choose returns the value, or the first of those allowed if there is none.
func (f *faults) choose(field, value string, allowed ...string) string {
	switch {
	case value == "":
		return allowed[0]
	case !slices.Contains(allowed, value):
		f.add(field, "use one of %s", strings.Join(allowed, ", "))
		return allowed[0]
	}
	return value
}

// header checks a name and returns it in canonical form; it may be empty.
func (f *faults) header(field, name string) string {
	switch canonical := http.CanonicalHeaderKey(name); {
	case name == "":
		return ""
	case !validHeaderName(name):
		f.add(field, "this is no name of a header; it has 1 to %d letters, digits and - _ and the like, and no colon", maxHeaderNameLen)
		return ""
	case canonical == "Host" || canonical == "Transfer-Encoding" || canonical == "Trailer":
		f.add(field, "%s is none of the headers that a handler gets to see", canonical)
		return ""
	default:
		return canonical
	}
}

func (l *layout) compileSignature(t Template, f *faults) {
	if t.SignatureHeader == "" {
		f.add("signature_header", "it is missing; name the header that carries the signature")
	}
	l.signatureHeader = f.header("signature_header", t.SignatureHeader)
	if !printable(t.SignaturePrefix) {
		f.add("signature_prefix", "it holds bytes that are not printable ASCII")
	}
	l.separator = t.SignatureList
	switch t.SignatureList {
	case "", ",", ", ", ";", " ":
	default:
		f.add("signature_list", `use "," ", " ";" or " "`)
	}
	if l.separator == "" && (t.Pick != "" || t.TimestampPick != "") {
		l.separator = ","
	}
	if l.separator != "" && strings.Contains(t.SignaturePrefix, l.separator) {
		f.add("signature_prefix", "it holds the separator of the entries, so that none could begin with it")
	}
	if t.Pick != "" && t.SignaturePrefix != "" {
		f.add("pick", "it takes the place of signature_prefix; write the prefix into the regular expression")
	}
	l.pick = f.expression("pick", t.Pick, l.separator)
	l.timestampPick = f.expression("timestamp_pick", t.TimestampPick, l.separator)
}

// expression compiles a regular expression that is matched against one whole entry.
func (f *faults) expression(field, pattern, separator string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		var at *syntax.Error
		if errors.As(err, &at) {
			err = errors.New(at.Code.String())
		}
		f.add(field, "this is no regular expression (RE2): %s", err)
		return nil
	}
	if n := tree.MaxCap(); n != 1 {
		f.add(field, "it has %d groups; put one pair of brackets around what is wanted, and write (?:…) for others", n)
		return nil
	}
	if asksFor(tree, separator) {
		f.add(field, "it asks for the separator of the entries, and is matched against each entry alone; leave it out")
		return nil
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		f.add(field, "it is too deep or too large")
	}
	return whole
}

// asksFor reports whether an expression has a literal that holds text.
func asksFor(tree *syntax.Regexp, text string) bool {
	if tree.Op == syntax.OpLiteral && strings.Contains(string(tree.Rune), text) {
		return true
	}
	return slices.ContainsFunc(tree.Sub, func(sub *syntax.Regexp) bool { return asksFor(sub, text) })
}

func (l *layout) compileTemplates(t Template, f *faults) {
	l.key = []part{{kind: partSecret, stop: -1}}
	if t.KeyTemplate != "" {
		if !printable(t.KeyTemplate) {
			f.add("key_template", "it holds bytes that are not printable ASCII")
		}
		before := len(*f)
		l.key = split("key_template", t.KeyTemplate, keyTokens, f)
		if len(*f) == before && index(l.key, partSecret) < 0 {
			f.add("key_template", "{secret} is not in it, so that anybody could sign")
		}
	}
	l.content = []part{{kind: partBody, stop: -1}}
	if t.ContentTemplate != "" {
		before := len(*f)
		l.content = split("content_template", t.ContentTemplate, contentTokens, f)
		switch {
		case len(*f) != before:
		case index(l.content, partBody) < 0:
			f.add("content_template", "{body} is not in it, so that the signature would say nothing about what is asked for")
		default:
			delimit(l.content, f)
		}
	}
}

func (l *layout) compileTime(t Template, f *faults) {
	l.timestampHeader = f.header("timestamp_header", t.TimestampHeader)
	l.timed = t.SignsTime()
	source := t.TimestampHeader != "" || t.TimestampPick != ""
	switch {
	case t.TimestampHeader != "" && t.TimestampPick != "":
		f.add("timestamp_header", "there is a timestamp_pick too; the time is read from one place")
	case l.timed && !source:
		f.add("timestamp_header", "{timestamp} is signed and there is neither timestamp_header nor timestamp_pick; tell where the time stands")
	case source && !l.timed:
		field := "timestamp_header"
		if t.TimestampHeader == "" {
			field = "timestamp_pick"
		}
		f.add(field, "{timestamp} is neither in content_template nor in key_template; a time that is not signed proves nothing, so sign it or leave it out")
	case !source && t.TimestampFormat != "":
		f.add("timestamp_format", "no time is read; leave it out")
	}
}

// compileHeaders checks the remaining names, and that no header has two tasks.
func (l *layout) compileHeaders(t Template, f *faults) {
	l.idHeader, l.signsID = f.header("id_header", t.IDHeader), t.SignsID()
	if l.signsID && t.IDHeader == "" {
		f.add("id_header", "{id} is signed and its header is not named")
	}
	tasks := map[string]string{}
	claim := func(field, name string) {
		if other, taken := tasks[name]; taken && name != "" {
			f.add(field, "%s is also the %s; a header has one task", name, other)
			return
		}
		tasks[name] = field
	}
	claim("signature_header", l.signatureHeader)
	claim("timestamp_header", l.timestampHeader)
	claim("id_header", l.idHeader)
	for _, p := range l.content {
		if p.kind != partHeader {
			continue
		}
		if name := f.header("content_template", p.text); tasks[name] != "" && name != "" {
			f.add("content_template", "%s is the %s; sign it as {timestamp} or {id}, and the signature not at all", p.token(), tasks[name])
		}
	}
	if len(t.RequiredHeaders) > maxRequiredHeaders {
		f.add("required_headers", "there are %d, %d are allowed", len(t.RequiredHeaders), maxRequiredHeaders)
	}
	for _, name := range t.RequiredHeaders {
		canonical := f.header("required_headers", name)
		switch {
		case name == "":
			f.add("required_headers", "one of them is empty")
		case canonical != "" && slices.Contains(l.required, canonical):
			f.add("required_headers", "%s stands in it twice", canonical)
		case canonical != "":
			l.required = append(l.required, canonical)
		}
	}
}
