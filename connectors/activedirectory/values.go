package activedirectory

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// sid is a security identifier as the directory stores it ([MS-DTYP] 2.4.2.2).
type sid string

// errSID is a text that is no SID.
var errSID = errors.New("no SID")

// parseSID reads S-1-…
func parseSID(text string) (sid, error) {
	parts := strings.Split(strings.ToUpper(text), "-")
	if len(parts) < 4 || len(parts) > 18 || parts[0] != "S" || parts[1] != "1" {
		return "", errSID
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", errSID
	}
	out := binary.BigEndian.AppendUint64(nil, authority)
	out[0], out[1] = 1, byte(len(parts)-3)
	for _, part := range parts[3:] {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return "", errSID
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return sid(out), nil
}

// valid tells whether the bytes are one SID and nothing else.
func (s sid) valid() bool { return len(s) >= 8 && s[0] == 1 && len(s) == 8+4*int(s[1]) }

// String gives S-1-…, and nothing for bytes that are no SID.
func (s sid) String() string {
	if !s.valid() {
		return ""
	}
	authority := binary.BigEndian.Uint64(append([]byte{0, 0}, s[2:8]...))
	out := "S-1-" + strconv.FormatUint(authority, 10)
	for at := 8; at < len(s); at += 4 {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32([]byte(s[at:]))), 10)
	}
	return out
}

// split gives the domain's SID and the account's number in it (RID) of an account or group of a domain.
func (s sid) split() (domain sid, rid uint32) {
	if !s.valid() || len(s) < 12 {
		return "", 0
	}
	head := []byte(s[:len(s)-4])
	head[1]--
	return sid(head), binary.LittleEndian.Uint32([]byte(s[len(s)-4:]))
}

// guidText gives the usual form of a GUID that is stored in the order of [MS-DTYP] 2.3.4.2, and nothing for other bytes.
func guidText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// parseGUID is the opposite of guidText.
func parseGUID(text string) ([]byte, bool) {
	parts := strings.Split(text, "-")
	raw, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil || len(raw) != 16 || len(parts) != 5 || len(parts[0]) != 8 || len(parts[1]) != 4 || len(parts[2]) != 4 || len(parts[3]) != 4 {
		return nil, false
	}
	raw[0], raw[1], raw[2], raw[3] = raw[3], raw[2], raw[1], raw[0]
	raw[4], raw[5] = raw[5], raw[4]
	raw[6], raw[7] = raw[7], raw[6]
	return raw, true
}

// epoch is the beginning of the directory's time, 1601-01-01, in seconds before 1970.
const epoch = 11644473600

// never stands in the directory for a time that does not come; 0 does, too ([MS-ADA1] accountExpires).
const never = 0x7FFFFFFFFFFFFFFF

// fileTime reads a time that the directory counts in steps of 100 ns. The zero time stands for "never", for what is no time,
// and for years that no message can carry (RFC 3339 ends with 9999).
func fileTime(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n == never {
		return time.Time{}
	}
	return clamped(time.Unix(n/1e7-epoch, n%1e7*100))
}

// clamped gives the time in UTC, or the zero time beyond the year 9999.
func clamped(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1601 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// generalizedTime reads the form in which domain controllers tell the time (RFC 4517 §3.3.13, in UTC).
func generalizedTime(text string) time.Time {
	t, err := time.Parse("20060102150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return clamped(t)
}

// quoted gives a password as unicodePwd wants it: in quotes, UTF-16 ([MS-ADTS] 3.1.1.3.1.5).
func quoted(password string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}
