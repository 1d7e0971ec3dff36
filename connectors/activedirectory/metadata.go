package activedirectory

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// stamp is what replication notes about one attribute of an entry each time somebody writes to it. It is the only record of a
// set password that lasts: pwdLastSet is 0 as soon as a change is demanded.
type stamp struct {
	version uint64
	at      time.Time // in seconds
	usn     uint64    // the change's number at the domain controller that took it
	origin  string    // that domain controller (invocation id)
}

// String is equal for equal changes.
func (s stamp) String() string { return fmt.Sprintf("%d:%s:%d", s.version, s.origin, s.usn) }

// The attributes whose stamps are read, by name and by number ([MS-ADTS] 3.1.1.1.9, prefix 1.2.840.113556.1.4 at index 9).
var stamped = map[uint32]string{0x9005A: attrPassword, 0x90060: attrLastSet}

// stamps reads the stamps of an entry: from the form that Windows makes for everybody to read, or else from the stored one, which
// Samba shows. Nothing is found where resetd's account may read neither.
func stamps(e *ldap.Entry) map[string]stamp {
	out := map[string]stamp{}
	for _, text := range e.GetEqualFoldAttributeValues(attrMetaText) {
		if name, s, ok := metaText(text); ok {
			out[name] = s
		}
	}
	if len(out) == 0 {
		metaBlob(e.GetEqualFoldRawAttributeValue(attrMeta), out)
	}
	return out
}

// metaText reads one value of msDS-ReplAttributeMetaData ([MS-ADTS] 3.1.1.4.5.8): a small, flat piece of XML.
func metaText(text string) (name string, s stamp, ok bool) {
	field := func(tag string) string {
		_, rest, _ := strings.Cut(text, "<"+tag+">")
		value, _, _ := strings.Cut(rest, "</"+tag+">")
		return strings.TrimSpace(value)
	}
	name = field("pszAttributeName")
	if name != attrPassword && name != attrLastSet {
		return "", stamp{}, false
	}
	version, errVersion := strconv.ParseUint(field("dwVersion"), 10, 64)
	usn, errUSN := strconv.ParseUint(field("usnOriginatingChange"), 10, 64)
	at, errTime := time.Parse(time.RFC3339, field("ftimeLastOriginatingChange"))
	if errVersion != nil || errUSN != nil || errTime != nil {
		return "", stamp{}, false
	}
	return name, stamp{version: version, at: clamped(at), usn: usn, origin: strings.ToLower(field("uuidLastOriginatingDsaInvocationID"))}, true
}

// The stored form: a head with the count at byte 8, then records of attribute number, version, seconds since 1601, origin, its
// number and the local one.
const (
	metaHead   = 16
	metaRecord = 48
)

// metaBlob reads replPropertyMetaData.
func metaBlob(raw []byte, into map[string]stamp) {
	le := binary.LittleEndian
	if len(raw) < metaHead || le.Uint32(raw) != 1 {
		return
	}
	count := uint64(le.Uint32(raw[8:]))
	if uint64(len(raw)) < metaHead+count*metaRecord {
		return
	}
	for i := range count {
		r := raw[metaHead+i*metaRecord:]
		name, wanted := stamped[le.Uint32(r)]
		if !wanted {
			continue
		}
		into[name] = stamp{version: uint64(le.Uint32(r[4:])), at: clamped(time.Unix(int64(le.Uint64(r[8:])&0xFFFFFFFFFF)-epoch, 0)),
			origin: guidText(r[16:32]), usn: le.Uint64(r[32:])}
	}
}
