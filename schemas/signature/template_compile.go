package signature

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"regexp"
	"slices"
	"strings"
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

// compile always returns a layout; it is of use only if there are no faults.
func compile(t Template) (*layout, faults) {
	var f faults
	l := &layout{prefix: t.SignaturePrefix, minKeyBytes: t.MinKeyBytes}
	f.bound("signature_prefix", t.SignaturePrefix, 32)
	f.bound("pick", t.Pick, 200)
	f.bound("timestamp_pick", t.TimestampPick, 200)
	f.bound("key_template", t.KeyTemplate, 200)
	f.bound("content_template", t.ContentTemplate, 500)
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
	if l.minKeyBytes < 0 || l.minKeyBytes > maxMinKeyBytes {
		f.add("min_key_bytes", "it is 1 to %d; leave it out for %d", maxMinKeyBytes, defaultMinKeyBytes)
		l.minKeyBytes = 0
	}
	if l.minKeyBytes == 0 {
		l.minKeyBytes = defaultMinKeyBytes
	}
	l.compileSignature(t, &f)
	l.compileTemplates(t, &f)
	l.compileTime(t, &f)
	l.compileHeaders(t, &f)
	return l, f
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
