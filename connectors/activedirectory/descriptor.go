package activedirectory

import (
	"encoding/binary"
	"slices"
)

// ace is one entry of an access control list ([MS-DTYP] 2.4.4), as far as it matters here.
type ace struct {
	deny   bool
	mask   uint32
	object string // the right or attribute that it is about; empty for all
	trust  sid    // whom it is about
}

// The parts of a security descriptor that are looked at.
const (
	aceAllow, aceDeny             = 0, 1
	aceAllowObject, aceDenyObject = 5, 6
	aceInheritOnly                = 0x08       // is about entries below, not about this one
	aceHasObject, aceHasInherited = 0x1, 0x2   // which GUIDs an object entry carries
	rightControl                  = 0x100      // use an extended right (RIGHT_DS_CONTROL_ACCESS)
	rightAll                      = 0x10000000 // GENERIC_ALL
)

// The extended rights ([MS-ADTS] 5.1.3.2.1).
const (
	rightResetPassword  = "00299570-246d-11d0-a768-00aa006e0529"
	rightChangePassword = "ab721a53-1e2f-11d0-9819-00aa0040529b"
)

// The identities that everybody has.
var (
	sidEveryone = must("S-1-1-0")
	sidSelf     = must("S-1-5-10")
	sidSignedIn = must("S-1-5-11")
)

// must reads a SID of this file.
func must(text string) sid {
	s, err := parseSID(text)
	if err != nil {
		panic(text)
	}
	return s
}

// accessList reads the DACL out of a security descriptor ([MS-DTYP] 2.4.6). It gives false for what is none: a descriptor
// that was cut off, or that has no DACL because nobody asked for one.
func accessList(raw []byte) ([]ace, bool) {
	le := binary.LittleEndian
	if len(raw) < 20 {
		return nil, false
	}
	at := uint64(le.Uint32(raw[16:]))
	if at == 0 || uint64(len(raw)) < at+8 {
		return nil, false
	}
	list := raw[at:]
	count := int(le.Uint16(list[4:]))
	var out []ace
	for rest := list[8:]; count > 0; count-- {
		if len(rest) < 4 {
			return nil, false
		}
		size := int(le.Uint16(rest[2:]))
		if size < 8 || size > len(rest) {
			return nil, false
		}
		if one, ok := readACE(rest[:size]); ok {
			out = append(out, one)
		}
		rest = rest[size:]
	}
	return out, true
}

// readACE reads one entry, and leaves out those that are not about this object or of a kind that grants nothing here.
func readACE(raw []byte) (ace, bool) {
	kind, flags, mask := raw[0], raw[1], binary.LittleEndian.Uint32(raw[4:])
	if flags&aceInheritOnly != 0 {
		return ace{}, false
	}
	one := ace{mask: mask, deny: kind == aceDeny || kind == aceDenyObject}
	rest := raw[8:]
	switch kind {
	case aceAllow, aceDeny:
	case aceAllowObject, aceDenyObject:
		if len(rest) < 4 {
			return ace{}, false
		}
		carries := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		for _, flag := range []uint32{aceHasObject, aceHasInherited} {
			if carries&flag == 0 {
				continue
			}
			if len(rest) < 16 {
				return ace{}, false
			}
			if flag == aceHasObject {
				one.object = guidText(rest[:16])
			}
			rest = rest[16:]
		}
	default:
		return ace{}, false
	}
	if len(rest) < 8 || len(rest) < 8+4*int(rest[1]) {
		return ace{}, false
	}
	one.trust = sid(rest[:8+4*int(rest[1])])
	return one, true
}

// mayUse tells whether somebody with this token may use an extended right: the first entry that is about both decides, as in
// the access check itself ([MS-ADTS] 5.1.3.3.3).
func mayUse(list []ace, token []sid, right string) bool {
	for _, one := range list {
		if one.about(right) && slices.Contains(token, one.trust) {
			return !one.deny
		}
	}
	return false
}

// about tells whether an entry is about an extended right.
func (a ace) about(right string) bool {
	return a.mask&(rightControl|rightAll) != 0 && (a.object == "" || a.object == right)
}

// mayNotChange tells whether the two entries are there that stand behind "User cannot change password": that right is denied to
// oneself or to everybody.
func mayNotChange(list []ace) bool {
	return slices.ContainsFunc(list, func(one ace) bool {
		return one.deny && one.object == rightChangePassword && one.about(rightChangePassword) && (one.trust == sidSelf || one.trust == sidEveryone)
	})
}
