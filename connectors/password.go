package connectors

import (
	"crypto/rand"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// The length of generated passwords, in characters of 6 random bits each. A policy may ask for more, or allow less, but
// below 16 (96 bits) the system's refusal is better than a password that can be guessed.
const (
	usualLength = 32
	leastLength = 16
	mostLength  = 256
)

// passwordClasses are the characters, 64 in all, so that a random byte's low six bits choose evenly. Letters that look
// alike are left out, and so is what shells, LDIF, LDAP, JSON, XML and password hashes ({SSHA}…) give a meaning to.
var passwordClasses = [4]string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789", "!%+-./:="}

// NewPassword makes a random password with characters of four classes, 32 long unless the system's policy wants it longer
// or shorter: min and max are the policy's bounds in characters, zero for none. It is never shorter than 16, whatever the
// policy, and never longer than 256.
func NewPassword(min, max int) schemas.Secret {
	length := usualLength
	if min > length {
		length = min
	}
	if max > 0 && max < length {
		length = max
	}
	switch {
	case length < leastLength:
		length = leastLength
	case length > mostLength:
		length = mostLength
	}
	alphabet := strings.Join(passwordClasses[:], "")
	buf := make([]byte, length)
	for {
		_, _ = rand.Read(buf) // never fails since Go 1.24: the program ends instead
		for i, b := range buf {
			buf[i] = alphabet[b&63]
		}
		if diverse(buf) {
			return schemas.NewSecret(string(buf))
		}
	}
}

// diverse tells whether a password has characters of every class.
func diverse(password []byte) bool {
	for _, class := range passwordClasses {
		if !strings.ContainsAny(class, string(password)) {
			return false
		}
	}
	return true
}
