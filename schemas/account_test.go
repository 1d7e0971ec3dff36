package schemas

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAPlainStringIsReadByOneFixedRule(t *testing.T) {
	for _, c := range []struct {
		text  string
		typ   AccountType
		value string
	}{
		{"jdoe", AccountUserName, "jdoe"},
		{"JDoe", AccountUserName, "JDoe"},
		{"Jörg Müller", AccountUserName, "Jörg Müller"},
		{"山田太郎", AccountUserName, "山田太郎"},
		{"uid=jdoe,ou=people", AccountUserName, "uid=jdoe,ou=people"}, // a DN must say that it is one
		{"12345", AccountUserName, "12345"},
		{"S-2-5", AccountUserName, "S-2-5"},
		{"ſ-1-5-21-1", AccountUserName, "ſ-1-5-21-1"}, // U+017F is S in upper case only
		{"550e8400-e29b-41d4-a716-44665544000", AccountUserName, "550e8400-e29b-41d4-a716-44665544000"},

		{"jdoe@example.com", AccountAddress, "jdoe@example.com"},
		{"J.Doe+x@Example.COM", AccountAddress, "J.Doe+x@Example.COM"},
		{"jdoe@corp", AccountAddress, "jdoe@corp"},
		{"jörg@bücher.example", AccountAddress, "jörg@bücher.example"},

		{`CORP\jdoe`, AccountDownLevel, `CORP\jdoe`},
		{`corp.example.com\J Doe`, AccountDownLevel, `corp.example.com\J Doe`},

		{"S-1-5-21-1111-2222-3333-1001", AccountSID, "S-1-5-21-1111-2222-3333-1001"},
		{"s-1-5-21-1111-2222-3333-1001", AccountSID, "S-1-5-21-1111-2222-3333-1001"},

		{"550e8400-e29b-41d4-a716-446655440000", AccountObjectID, "550e8400-e29b-41d4-a716-446655440000"},
		{"550E8400-E29B-41D4-A716-446655440000", AccountObjectID, "550e8400-e29b-41d4-a716-446655440000"},
		{"{550E8400-E29B-41D4-A716-446655440000}", AccountObjectID, "550e8400-e29b-41d4-a716-446655440000"},
	} {
		a, err := ParseAccount(c.text)
		if err != nil || a.Type != c.typ || a.Value != c.value {
			t.Errorf("%q: got %s %q, %v", c.text, a.Type, a.Value, err)
		}
		if a.String() != c.value || a.Key() != strings.ToLower(c.value) {
			t.Errorf("%q: shown as %q, searched as %q", c.text, a.String(), a.Key())
		}
	}
}

func TestAStringWithTheMarkOfATypeNeverFallsBackToAnother(t *testing.T) {
	for text, typ := range map[string]AccountType{
		`CORP\`: AccountDownLevel, `\jdoe`: AccountDownLevel, `A\B\c`: AccountDownLevel, `CORP\jdoe@example.com`: AccountDownLevel,
		`CORP\a/b`: AccountDownLevel, `.\administrator`: AccountDownLevel, `\`: AccountDownLevel,
		"S-1-": AccountSID, "S-1-5": AccountSID, "s-1-team": AccountSID, "S-1-5-21-x": AccountSID, "S-1-5-21-99999999999": AccountSID, "S-1-5@example.com": AccountSID,
		"S-1-5" + strings.Repeat("-1", 16): AccountSID,
		"@":                                AccountAddress, "jdoe@": AccountAddress, "@example.com": AccountAddress, "a@b@c": AccountAddress, "a@b c": AccountAddress,
	} {
		a, err := ParseAccount(text)
		if !errors.Is(err, ErrAccount) || a.Type != typ {
			t.Errorf("%q: got %s, %v", text, a.Type, err)
		}
	}
}

func TestAccountsThatCouldDeceiveAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a space": " ", "a leading space": " jdoe", "a trailing space": "jdoe ", "a trailing no-break space": "jdoe\u00a0",
		"a line feed": "jdoe\nroot", "a tab": "j\tdoe", "a carriage return": "jdoe\r", "NUL": "jdoe\x00", "escape": "\x1b[31mjdoe", "delete": "jdoe\x7f", "a C1 control": "jdoe\u0085",
		"right-to-left override": "jdoe\u202egro.elpmaxe@", "right-to-left mark": "jdoe\u200f", "left-to-right mark": "\u200ejdoe", "Arabic letter mark": "jdoe\u061c",
		"isolates": "\u2066jdoe\u2069", "zero-width space": "j\u200bdoe", "zero-width joiner": "j\u200ddoe", "word joiner": "j\u2060doe", "byte order mark": "\ufeffjdoe",
		"soft hyphen": "j\u00addoe", "line separator": "jdoe\u2028", "paragraph separator": "jdoe\u2029", "a tag": "jdoe\U000e0041", "an invisible letter": "jdoe\u3164", "a grapheme joiner": "j\u034fdoe",
		"private use": "jdoe\ue000", "a lost character": "jdoe\ufffd", "not UTF-8": "jdoe\xff", "a surrogate": "jdoe\xed\xa0\x80", "overlong UTF-8": "\xc0\xafjdoe", "too long": strings.Repeat("a", MaxAccountBytes+1),
	} {
		if a, err := ParseAccount(text); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %q was taken as %s", name, text, a.Type)
		}
	}
	if _, err := ParseAccount(strings.Repeat("a", MaxAccountBytes)); err != nil {
		t.Errorf("the longest account: %v", err)
	}
}

func TestAnAccountWithATypeIsHeldToIt(t *testing.T) {
	for _, c := range []struct {
		typ   AccountType
		value string
		ok    bool
	}{
		{AccountUserName, "jdoe@example.com", true}, {AccountUserName, `CORP\jdoe`, true},
		{AccountLogin, "jdoe", true}, {AccountDN, "uid=jdoe,ou=people,dc=example,dc=com", true},
		{AccountEmail, "jdoe@example.com", true}, {AccountEmail, "jdoe", false}, {AccountAddress, "jdoe", false},
		{AccountDownLevel, "jdoe", false}, {AccountSID, "jdoe", false}, {AccountSID, "S-1-5-18", true},
		{AccountObjectID, "00u1abcdEFGH2ijkl3m4", true}, {AccountObjectID, "with space", false},
		{"", "jdoe", false}, {"upn", "jdoe", false}, {"User_Name", "jdoe", false},
		{AccountUserName, "", false}, {AccountDN, "uid=jdoe\n", false},
	} {
		err := Account{c.typ, c.value}.Check()
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAccount) {
			t.Errorf("%s %q: got %v", c.typ, c.value, err)
		}
	}
}

func TestAnAccountInJSONIsAStringOrAnObject(t *testing.T) {
	for _, c := range []struct {
		text string
		want Account
	}{
		{`"jdoe@example.com"`, Account{AccountAddress, "jdoe@example.com"}},
		{`"CORP\\jdoe"`, Account{AccountDownLevel, `CORP\jdoe`}},
		{`{"type":"user_name","value":"jdoe@example.com"}`, Account{AccountUserName, "jdoe@example.com"}},
		{`{"type":"object_id","value":"{550E8400-E29B-41D4-A716-446655440000}"}`, Account{AccountObjectID, "550e8400-e29b-41d4-a716-446655440000"}},
		{`{"type":"object_id","value":"00u1abcdEFGH"}`, Account{AccountObjectID, "00u1abcdEFGH"}},
	} {
		var a, again Account
		if p := Decode([]byte(c.text), &a); p != nil || a != c.want {
			t.Errorf("%s: got %+v, %v", c.text, a, p)
		}
		if p := Decode([]byte(encode(t, a)), &again); p != nil || again != a {
			t.Errorf("%s: comes back as %+v, %v", c.text, again, p)
		}
	}
	for _, text := range []string{`7`, `true`, `[]`, `["jdoe"]`, `{"type":"user_name","value":7}`, `{"value":"a","name":"b"}`, `{"Type":"user_name","value":"a"}`} {
		var a Account
		if p := Decode([]byte(text), &a); p == nil || p.Status != 422 {
			t.Errorf("%s: got %+v, %v", text, a, p)
		}
	}
	for _, text := range []string{`{"value":"a","value":"b"}`, `"\ud800"`, "\"a\xff\"", `"a`} {
		var a Account
		if p := Decode([]byte(text), &a); p == nil || p.Status != 400 {
			t.Errorf("%s: got %+v, %v", text, a, p)
		}
	}
}

func FuzzParseAccount(f *testing.F) {
	for _, s := range []string{"jdoe", "jdoe@example.com", `CORP\jdoe`, "S-1-5-21-1-2-3-1001", "s-1-5-18", "{550E8400-E29B-41D4-A716-446655440000}",
		"ſ-1-5-18", "\u202ejdoe", "a@b@c", " x", "\xff", "K-1", "İ@ı"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAccount(s)
		if (err == nil) != (a.Check() == nil) {
			t.Fatalf("%q: parsing says %v, checking says %v", s, err, a.Check())
		}
		if err != nil {
			if !errors.Is(err, ErrAccount) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if again, err := ParseAccount(a.String()); err != nil || again != a {
			t.Fatalf("%q is %+v, and that is %+v, %v", s, a, again, err)
		}
		if !strings.EqualFold(a.Value, strings.Trim(s, "{}")) && !strings.EqualFold(a.Value, s) {
			t.Fatalf("%q became another account: %q", s, a.Value)
		}
		if !utf8.ValidString(a.Value) || len(a.Value) > MaxAccountBytes || a.Value != strings.TrimSpace(a.Value) || a.Value == "" {
			t.Fatalf("%q was taken", s)
		}
		for _, r := range a.Value {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
				t.Fatalf("%q was taken with U+%04X", s, r)
			}
		}
		var decoded Account
		if p := Decode([]byte(encode(t, s)), &decoded); p != nil || decoded != a {
			t.Fatalf("%q as JSON is %+v, %v", s, decoded, p)
		}
	})
}
