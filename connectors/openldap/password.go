package openldap

import (
	"crypto/rand"
	"strings"
)

// The length of generated passwords, in characters of 6 random bits each. A policy may ask for more, or allow less, but
// below 16 (96 bits) the server's refusal is better than a password that can be guessed.
const (
	usualLength = 32
	leastLength = 16
	mostLength  = 256
)

// classes are the characters, 64 in all, so that a random byte's low six bits choose evenly. Letters that look alike are
// left out, and so is what shells, LDIF, LDAP and password hashes ({SSHA}…) give a meaning to.
var classes = [4]string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789", "!%+-./:="}

// newPassword makes a password with characters of all four classes that fits the policy's length.
func newPassword(p policy) string {
	length := max(usualLength, p.min)
	if p.max > 0 {
		length = min(length, p.max)
	}
	length = min(max(length, leastLength), mostLength)
	alphabet := strings.Join(classes[:], "")
	buf := make([]byte, length)
	for {
		_, _ = rand.Read(buf) // never fails since Go 1.24: the program ends instead
		for i, b := range buf {
			buf[i] = alphabet[b&63]
		}
		if diverse(buf) {
			return string(buf)
		}
	}
}

func diverse(password []byte) bool {
	for _, class := range classes {
		if !strings.ContainsAny(class, string(password)) {
			return false
		}
	}
	return true
}
