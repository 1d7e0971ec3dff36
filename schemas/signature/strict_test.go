package signature_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// The strictness table: what the reference libraries accept or leave open, and what
// this package answers. Every row signs what it sends, so that only the stated
// fault can be the reason of the refusal.
func TestStrictnessTable(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	secret := signature.GenerateSymmetric()
	raw, rawPrivate := rawKey(t, secret.Reveal()), rawKey(t, private.Reveal())
	verifier := mustVerifier(t, secret, public)

	const id, ts = "msg_1", "1795330800"
	v1 := func(id, ts string) string { return naiveSignature("v1", raw, id, ts, []byte(nativeBody)) }
	v1a := naiveSignature("v1a", rawPrivate, id, ts, []byte(nativeBody))
	good := v1(id, ts)
	value := strings.TrimPrefix(good, "v1,")
	junk := "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32))
	list := func(n int, entry, last string) string { return strings.Repeat(entry+" ", n) + last }
	seconds := func(n int64) string { return strconv.FormatInt(n, 10) }
	malformedSig, malformedTS := signature.ReasonMalformedSignature, signature.ReasonMalformedTimestamp

	rows := []struct {
		name, id, ts, list string
		want               signature.Reason // empty: accepted
	}{
		{"correct v1", id, ts, good, ""},
		{"correct v1a", id, ts, v1a, ""},
		{"both versions", id, ts, v1a + " " + good, ""},
		{"unknown version before v1", id, ts, "v2,AAAA " + good, ""},
		{"unknown version after v1", id, ts, good + " v9z,AA", ""},
		{"junk before the right one, five in all", id, ts, list(4, junk, good), ""},
		{"right one before junk, five in all", id, ts, good + strings.Repeat(" "+junk, 4), ""},
		{"id of 128 characters", strings.Repeat("x", 128), ts, v1(strings.Repeat("x", 128), ts), ""},
		{"299 s old", id, seconds(clock - 299), v1(id, seconds(clock-299)), ""},
		{"300 s old", id, seconds(clock - 300), v1(id, seconds(clock-300)), ""},
		{"300 s ahead", id, seconds(clock + 300), v1(id, seconds(clock+300)), ""},

		{"301 s old", id, seconds(clock - 301), v1(id, seconds(clock-301)), signature.ReasonTooOld},
		{"302 s old", id, seconds(clock - 302), v1(id, seconds(clock-302)), signature.ReasonTooOld},
		{"301 s ahead", id, seconds(clock + 301), v1(id, seconds(clock+301)), signature.ReasonTooNew},
		{"the largest time", id, "99999999999", v1(id, "99999999999"), signature.ReasonTooNew},
		{"the smallest time", id, "1000000000", v1(id, "1000000000"), signature.ReasonTooOld},

		{"time with a sign", id, "+1795330800", v1(id, ts), malformedTS},
		{"time with a leading zero", id, "01795330800", v1(id, ts), malformedTS},
		{"time with letters behind", id, "1795330800abc", v1(id, ts), malformedTS},
		{"time with a space before", id, " 1795330800", v1(id, " 1795330800"), malformedTS},
		{"time with a line break", id, "1795330800\n", v1(id, "1795330800\n"), malformedTS},
		{"time in milliseconds", id, "1795330800000", v1(id, "1795330800000"), malformedTS},
		{"time with a fraction", id, "1795330800.5", v1(id, "1795330800.5"), malformedTS},
		{"time as an exponent", id, "1795330e3", v1(id, "1795330e3"), malformedTS},
		{"time of nine digits", id, "999999999", v1(id, "999999999"), malformedTS},
		{"negative time", id, "-1795330800", v1(id, "-1795330800"), malformedTS},
		{"time in other digits", id, "１７９５３３０８００", v1(id, "１７９５３３０８００"), malformedTS},
		{"time as a date", id, "2026-11-22T07:00:00Z", v1(id, "2026-11-22T07:00:00Z"), malformedTS},

		{"id with a full stop", "msg.1", ts, v1("msg.1", ts), signature.ReasonMalformedID},
		{"id of 129 characters", strings.Repeat("x", 129), ts, v1(strings.Repeat("x", 129), ts), signature.ReasonMalformedID},
		{"id with a space", "msg 1", ts, v1("msg 1", ts), signature.ReasonMalformedID},
		{"id with a line break", "msg_1\n", ts, v1("msg_1\n", ts), signature.ReasonMalformedID},
		{"id with a letter beyond ASCII", "mśg", ts, v1("mśg", ts), signature.ReasonMalformedID},
		{"id of two joined headers", "msg_1, msg_1", ts, v1("msg_1, msg_1", ts), signature.ReasonMalformedID},
		{"id with a right-to-left mark", "msg\u200f1", ts, v1("msg\u200f1", ts), signature.ReasonMalformedID},

		{"third field", id, ts, good + ",junk", malformedSig},
		{"empty third field", id, ts, good + ",", malformedSig},
		{"one field", id, ts, value, malformedSig},
		{"no version", id, ts, "," + value, malformedSig},
		{"no value", id, ts, "v1,", malformedSig},
		{"right one after a malformed one", id, ts, "v1,AAAA " + good, malformedSig},
		{"right one before a malformed one", id, ts, good + " v1,AAAA", malformedSig},
		{"unknown version with one field", id, ts, good + " v2", malformedSig},
		{"unknown version with a foreign character", id, ts, good + " v2,a-b", malformedSig},
		{"version with a foreign character", id, ts, good + " v.2,AAAA", malformedSig},
		{"version of 17 characters", id, ts, good + " vvvvvvvvvvvvvvvvv,AAAA", malformedSig},
		{"version in upper case", id, ts, "V1," + value, signature.ReasonNoMatch},
		{"two spaces", id, ts, good + "  " + junk, malformedSig},
		{"space before", id, ts, " " + good, malformedSig},
		{"space behind", id, ts, good + " ", malformedSig},
		{"tabulator between", id, ts, junk + "\t" + good, malformedSig},
		{"comma and space between", id, ts, junk + ", " + good, malformedSig},
		{"no padding", id, ts, strings.TrimSuffix(good, "="), malformedSig},
		{"too much padding", id, ts, good + "=", malformedSig},
		{"too much padding on v1a", id, ts, v1a + "=", malformedSig},
		{"unknown version with an empty value", id, ts, good + " v2,", malformedSig},
		{"line break in the base64", id, ts, good[:10] + "\n" + good[10:], malformedSig},
		{"line break in place of a character", id, ts, good[:10] + "\n" + good[11:], malformedSig},
		{"URL alphabet", id, ts, "v1,-_" + value[2:], malformedSig},
		{"stray bits in the last character", id, ts, good[:len(good)-2] + "B=", malformedSig},
		{"33 bytes", id, ts, "v1," + base64.StdEncoding.EncodeToString(make([]byte, 33)), malformedSig},
		{"31 bytes", id, ts, "v1," + base64.StdEncoding.EncodeToString(make([]byte, 31)), malformedSig},
		{"v1a of 32 bytes", id, ts, "v1a," + value, malformedSig},
		{"v1 of 64 bytes", id, ts, "v1," + strings.TrimPrefix(v1a, "v1a,"), malformedSig},
		{"v1a of 66 bytes", id, ts, "v1a," + base64.StdEncoding.EncodeToString(make([]byte, 66)), malformedSig},
		{"hexadecimal", id, ts, fmt.Sprintf("v1,%x", make([]byte, 32)), malformedSig},
		{"more than 1024 bytes", id, ts, good + " v2," + strings.Repeat("A", 1024), malformedSig},

		{"six, the right one last", id, ts, list(5, junk, good), signature.ReasonTooManySignatures},
		{"six, the right one first", id, ts, good + strings.Repeat(" "+junk, 5), signature.ReasonTooManySignatures},
		{"six with unknown versions", id, ts, list(5, "v2,AAAA", good), signature.ReasonTooManySignatures},
		{"10,000 junk, then the right one", id, ts, list(10_000, junk, good), signature.ReasonTooManySignatures},
		{"10,000 spaces", id, ts, strings.Repeat(" ", 10_000) + good, signature.ReasonTooManySignatures},

		{"unknown version only", id, ts, "v2," + value, signature.ReasonNoMatch},
		{"v1a of zeros", id, ts, "v1a," + base64.StdEncoding.EncodeToString(make([]byte, 64)), signature.ReasonNoMatch},
		{"all zeros", id, ts, junk, signature.ReasonNoMatch},

		{"empty id", "", ts, v1("", ts), signature.ReasonMissingHeader},
		{"empty time", id, "", v1(id, ""), signature.ReasonMissingHeader},
		{"empty signature", id, ts, "", signature.ReasonMissingHeader},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h := header(r.id, r.ts, r.list)
			d, err := verifier.Verify(h, []byte(nativeBody), now())
			if naive := naiveVerify(h, []byte(nativeBody), clock, raw, rawKey(t, public.Reveal())); naive != (err == nil) {
				t.Fatalf("the naive verifier says %t, Verify says %v", naive, err)
			}
			if r.want == "" {
				if err != nil || d.ID != r.id {
					t.Fatalf("got %+v, %v, want it accepted", d, err)
				}
				return
			}
			wantReason(t, err, r.want)
			if d != (signature.Delivery{}) {
				t.Fatalf("a refused delivery came with %+v", d)
			}
		})
	}
}

func TestEachHeaderMustComeExactlyOnce(t *testing.T) {
	key := signature.GenerateSymmetric()
	verifier := mustVerifier(t, key)
	for _, name := range []string{signature.HeaderID, signature.HeaderTimestamp, signature.HeaderSignature} {
		h := mustSign(t, "msg_1", now(), []byte(nativeBody), key)
		h.Del(name)
		_, err := verifier.Verify(h, []byte(nativeBody), now())
		wantReason(t, err, signature.ReasonMissingHeader)

		for _, second := range []string{mustSign(t, "msg_1", now(), []byte(nativeBody), key).Get(name), "other", ""} {
			h = mustSign(t, "msg_1", now(), []byte(nativeBody), key)
			h.Add(name, second)
			_, err = verifier.Verify(h, []byte(nativeBody), now())
			wantReason(t, err, signature.ReasonDoubledHeader)
		}
	}
	_, err := verifier.Verify(nil, nil, now())
	wantReason(t, err, signature.ReasonMissingHeader)
	_, err = verifier.Verify(http.Header{}, nil, now())
	wantReason(t, err, signature.ReasonMissingHeader)
}

func TestToleranceCanBeChosen(t *testing.T) {
	key := signature.GenerateSymmetric()
	h := mustSign(t, "msg_1", now(), nil, key)
	v, err := signature.NewVerifier([]signature.Key{key}, signature.Options{Tolerance: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for late, want := range map[time.Duration]signature.Reason{
		10 * time.Second: "", 10*time.Second + 999*time.Millisecond: "", -10 * time.Second: "",
		11 * time.Second: signature.ReasonTooOld, -11 * time.Second: signature.ReasonTooNew,
	} {
		_, err := v.Verify(h, nil, now().Add(late))
		if want == "" && err != nil {
			t.Fatalf("%s late: %v", late, err)
		}
		if want != "" {
			wantReason(t, err, want)
		}
	}
	for _, bad := range []time.Duration{-time.Second, time.Millisecond} {
		_, err := signature.NewVerifier([]signature.Key{key}, signature.Options{Tolerance: bad})
		wantReason(t, err, signature.ReasonBadOption)
	}
}

func TestStaleDeliveryTellsByHowMuch(t *testing.T) {
	key := signature.GenerateSymmetric()
	_, err := mustVerifier(t, key).Verify(mustSign(t, "msg_1", now(), nil, key), nil, now().Add(412*time.Second))
	wantReason(t, err, signature.ReasonTooOld)
	if text := err.Error(); !strings.Contains(text, "412 s") || !strings.Contains(text, "NTP") {
		t.Fatalf("no figure or no advice: %s", text)
	}
}
