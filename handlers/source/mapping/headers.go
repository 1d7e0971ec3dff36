package mapping

import (
	"net/http"
	"strings"
)

// visibleHeaders gives the headers that expressions see, by lower-case name; one that is sent several times is left out.
// What carries a secret or a signature is left out.
func visibleHeaders(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		lower := strings.ToLower(name)
		if len(values) == 1 && !secretHeader(lower) {
			out[lower] = values[0]
		}
	}
	return out
}

func secretHeader(lower string) bool {
	switch lower {
	case "authorization", "cookie", "proxy-authorization":
		return true
	}
	for _, part := range []string{"signature", "token", "secret", "api-key", "apikey", "password"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}
