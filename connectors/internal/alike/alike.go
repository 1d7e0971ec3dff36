// Package alike compares names the way people mean them and not the way directories look them up.
package alike

import "unicode"

// Names tells whether two names differ in nothing but case. A letter of ASCII is never alike one beyond: the Kelvin sign is
// k in lower case and the dotless ı is I in upper case, and a directory that folds them, or that leaves accents out, finds
// somebody else. Nothing is normalised, so that a name in another Unicode form is another one.
func Names(a, b string) bool {
	one, other := []rune(a), []rune(b)
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		if one[i] != other[i] && (unicode.ToLower(one[i]) != unicode.ToLower(other[i]) || (one[i] <= unicode.MaxASCII) != (other[i] <= unicode.MaxASCII)) {
			return false
		}
	}
	return true
}
