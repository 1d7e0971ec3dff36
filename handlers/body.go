package handlers

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// MaxBody is the greatest size of a request body in bytes.
const MaxBody = 256 << 10

const (
	firstBuffer = 4 << 10
	keepBuffer  = 64 << 10
)

// limitDeclared refuses a body that is too large by its own declaration, before a byte of it is read.
func limitDeclared(c *call) error {
	if c.Request.ContentLength > MaxBody {
		return c.tooLarge()
	}
	return nil
}

// readBody reads the body whole, or refuses it whole: there is no truncation. The bytes are the caller's until the call
// ends. Of a body that is too large, one byte more than MaxBody is read, beside what lies in the connection's buffers.
func (c *call) readBody() ([]byte, error) {
	if err := checkMedia(c.Request.Header, onlyJSON); err != nil {
		return nil, err
	}
	return c.readBytes()
}

// readBytes reads a body of whatever media type.
func (c *call) readBytes() ([]byte, error) {
	if err := checkCoding(c.Request.Header); err != nil {
		c.Header("Accept-Encoding", "identity") // RFC 9110 §15.5.16
		return nil, err
	}
	if c.in == nil {
		c.in = make([]byte, 0, firstBuffer)
	}
	// The limit must reach the server's own writer, which closes the connection when it is exceeded; gin's hides it.
	r := http.MaxBytesReader(underneath(c.Writer), c.Request.Body, MaxBody)
	buf := c.in[:0]
	defer func() { c.in = buf }()
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf)) // as the bytes come in, not as the sender declares
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == nil:
		case err == io.EOF:
			return buf, nil
		default:
			return nil, c.unread(err)
		}
	}
}

// unread tells why a body could not be read to its end.
func (c *call) unread(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		// The server would go on reading, to leave the connection in order. It is closed instead. A writer that has no
		// connection, as in tests, has nothing to go on reading from.
		_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Unix(1, 0))
		return c.tooLarge()
	}
	c.Header("Connection", "close")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return schemas.NewProblem(http.StatusRequestTimeout, "too_slow", "The body did not arrive in time",
			"Send it again; it must arrive whole within "+ReadTimeout.String()+".")
	}
	return schemas.NewProblem(http.StatusBadRequest, "body_incomplete", "The body did not arrive whole",
		"Send it again, and look for a proxy that cuts connections.")
}

func (c *call) tooLarge() error {
	c.Header("Connection", "close")
	return bodyTooLarge()
}

func bodyTooLarge() error {
	return schemas.NewProblem(http.StatusRequestEntityTooLarge, "body_too_large", "The body is too large",
		"At most 256 KiB (262144 bytes) are taken; split a batch into several deliveries, each with an id of its own.")
}

// checkCoding takes what is not compressed. A signature covers the bytes as sent; whoever unpacks them first may see
// others, and more of them.
func checkCoding(h http.Header) error {
	for _, coding := range h["Content-Encoding"] {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return schemas.NewProblem(http.StatusUnsupportedMediaType, "compressed_body", "The body is compressed",
				"Send it as it is, without Content-Encoding.")
		}
	}
	return nil
}

// CheckDelivery gives the problem for which a delivery to a hook is refused before it is verified: it is compressed, or too
// large.
func CheckDelivery(h http.Header, body []byte) error {
	if len(body) > MaxBody {
		return bodyTooLarge()
	}
	return checkCoding(h)
}

// CheckMedia gives the problem for which a delivery is refused that is declared as something else than one of some media
// types, in lower case. One that is not declared is taken.
func CheckMedia(h http.Header, allowed []string) error { return checkMedia(h, allowed) }

var onlyJSON = []string{"application/json"}

// checkMedia takes a body of one of some media types, in lower case, or of none that is named.
func checkMedia(h http.Header, allowed []string) error {
	types := h["Content-Type"]
	if len(types) == 0 || len(types) == 1 && (slices.Contains(allowed, types[0]) || isMedia(types[0], allowed)) {
		return nil
	}
	return schemas.NewProblem(http.StatusUnsupportedMediaType, "wrong_content_type", "The body is not declared as what is expected",
		"Send it once with Content-Type: "+strings.Join(allowed, " or ")+", in UTF-8.")
}

func isMedia(text string, allowed []string) bool {
	media, params, err := mime.ParseMediaType(text)
	if err != nil || !slices.Contains(allowed, media) {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// underneath gives the writer that gin wrapped.
func underneath(w http.ResponseWriter) http.ResponseWriter {
	if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		return u.Unwrap()
	}
	return w
}
