package activedirectory

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestJudgement(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	ev := func(mark string, must bool) schemas.Evidence {
		return schemas.Evidence{PasswordChangedAt: at, MustChange: must, Marker: mark}
	}
	hidden := func(mark string, must bool) schemas.Evidence {
		return schemas.Evidence{MustChange: must, Marker: markHidden + mark}
	}
	old, hiddenOld := ev("1:a:10 1:a:10", false), hidden("10 13439", false)
	for name, one := range map[string]struct {
		now, since schemas.Evidence
		control    int
		hidden     bool
		state      schemas.ProofState
		code       schemas.Code
		changed    bool
	}{
		"nothing happened":          {old, old, 0, false, schemas.ProofNotEnforced, "", false},
		"reset":                     {ev("2:a:11 2:a:11", true), old, 0, false, schemas.ProofEnforced, "", true},
		"reset on another server":   {ev("2:b:5 2:b:5", true), old, 0, false, schemas.ProofEnforced, "", true},
		"demand only":               {ev("1:a:10 2:a:11", true), old, 0, false, schemas.ProofEnforced, "", false},
		"demand was there":          {ev("1:a:10 2:a:11", true), ev("1:a:10 2:a:11", true), 0, false, schemas.ProofEnforced, "", false},
		"reset of a demanded one":   {ev("2:a:12 2:a:11", true), ev("1:a:10 2:a:11", true), 0, false, schemas.ProofEnforced, "", true},
		"the user answered":         {ev("3:a:14 3:a:14", false), ev("2:a:12 2:a:11", true), 0, false, schemas.ProofNotEnforced, schemas.CodeConflict, true},
		"never expires":             {ev("2:a:11 2:a:11", false), old, uacNoExpiry, false, schemas.ProofNotEnforced, schemas.CodeUnenforced, true},
		"smart card":                {ev("2:a:11 2:a:11", false), old, uacSmartCard, false, schemas.ProofNotEnforced, schemas.CodeUnenforced, true},
		"hidden account":            {old, old, 0, true, schemas.ProofUnknown, "", false},
		"no stamps, demand":         {hidden("12 0", true), hiddenOld, 0, false, schemas.ProofEnforced, "", false},
		"no stamps, user set it":    {hidden("12 13440", false), hiddenOld, 0, false, schemas.ProofNotEnforced, schemas.CodeConflict, true},
		"first password of anybody": {ev("1:a:9 1:a:9", true), ev("none 1:a:3", false), 0, false, schemas.ProofEnforced, "", true},
	} {
		got := judge(account{evidence: one.now, control: one.control, readable: !one.hidden}, one.since)
		if got.State != one.state || got.Code != one.code || got.Changed != one.changed || got.Evidence != one.now || got.Detail == "" {
			t.Errorf("%s: %+v; want %s, %q, changed %t", name, got, one.state, one.code, one.changed)
		}
	}
}

// Windows shows the stamps as text, Samba as they are stored. The text is put together after [MS-ADTS]; no Windows was asked.
func TestStampsAreReadInBothForms(t *testing.T) {
	text := func(name, version string) string {
		return "<DS_REPL_ATTR_META_DATA>\n\t<pszAttributeName>" + name + "</pszAttributeName>\n\t<dwVersion>" + version +
			"</dwVersion>\n\t<ftimeLastOriginatingChange>2026-11-22T07:00:01Z</ftimeLastOriginatingChange>\n\t<uuidLastOriginatingDsaInvocationID>6BDA1F11-0B2F-4A0C-9A52-6B4D5A6F7E81</uuidLastOriginatingDsaInvocationID>" +
			"\n\t<usnOriginatingChange>4218</usnOriginatingChange>\n\t<usnLocalChange>4218</usnLocalChange>\n\t<pszLastOriginatingDsaDN></pszLastOriginatingDsaDN>\n</DS_REPL_ATTR_META_DATA>\n\x00"
	}
	e := ldap.NewEntry("CN=x", map[string][]string{attrMetaText: {text("cn", "1"), text(attrPassword, "2"), text(attrLastSet, "3")},
		attrControl: {"512"}, attrLastSet: {"0"}, attrComputed: {"8388608"}})
	got := accountOf(e).evidence
	want := "2:6bda1f11-0b2f-4a0c-9a52-6b4d5a6f7e81:4218 3:6bda1f11-0b2f-4a0c-9a52-6b4d5a6f7e81:4218"
	if got.Marker != want || !got.MustChange || !got.PasswordChangedAt.Equal(time.Date(2026, 11, 22, 7, 0, 1, 0, time.UTC)) {
		t.Errorf("%+v, want %s", got, want)
	}
	for _, bad := range []string{"", "<pszAttributeName>unicodePwd</pszAttributeName>", text(attrPassword, "x"), "<pszAttributeName>unicodePwd"} {
		if _, _, ok := metaText(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
	hiddenOne := accountOf(ldap.NewEntry("CN=x", map[string][]string{attrControl: {"512"}, attrLastSet: {"134398231066008740"}, attrLocalMark: {"77"}})).evidence
	if hiddenOne.Marker != markHidden+"77 134398231066008740" || !hiddenOne.PasswordChangedAt.IsZero() {
		t.Errorf("without stamps: %+v", hiddenOne)
	}
}

// Evidence goes through the ledger as JSON and is compared afterwards.
func TestEvidenceSurvivesTheLedger(t *testing.T) {
	for _, seconds := range []uint64{13439823106, 0, 1<<39 - 1, 1<<63 - 1} {
		raw := make([]byte, metaHead+metaRecord)
		raw[0], raw[8] = 1, 1
		binary.LittleEndian.PutUint32(raw[metaHead:], 0x9005A)
		binary.LittleEndian.PutUint64(raw[metaHead+8:], seconds)
		e := accountOf(ldap.NewEntry("CN=x", map[string][]string{attrControl: {"512"}, attrLastSet: {"0"}, attrMeta: {string(raw)}})).evidence
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%d seconds: %v", seconds, err)
		}
		var back schemas.Evidence
		if err := json.Unmarshal(text, &back); err != nil || !e.Same(back) || strings.HasPrefix(e.Marker, markHidden) {
			t.Errorf("%d seconds: %+v became %+v (%v)", seconds, e, back, err)
		}
	}
}

func FuzzWhatTheServerSendsIsReadOrRefused(f *testing.F) {
	f.Add([]byte{1, 0, 4, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 4, 0, 28, 0, 1, 0, 0, 0, 5, 0, 0x28, 0, 0, 1, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		metaBlob(raw, map[string]stamp{})
		if list, ok := accessList(raw); ok {
			mayUse(list, []sid{sidEveryone}, rightResetPassword)
			mayNotChange(list)
		}
		if text := sid(raw).String(); text != "" {
			if back, err := parseSID(text); err == nil && back.String() != text {
				t.Errorf("%q became %q", text, back)
			}
		}
		if text := guidText(raw); text != "" {
			if back, ok := parseGUID(text); !ok || string(back) != string(raw) {
				t.Errorf("%x became %x", raw, back)
			}
		}
	})
}

func TestFirstEntryThatIsAboutSomebodyDecides(t *testing.T) {
	me, other := must("S-1-5-21-1-2-3-1001"), must("S-1-5-21-1-2-3-1002")
	allow := ace{mask: rightControl, object: rightResetPassword, trust: me}
	deny := allow
	deny.deny = true
	for name, one := range map[string]struct {
		list []ace
		may  bool
	}{
		"nothing":               {nil, false},
		"granted":               {[]ace{allow}, true},
		"denied first":          {[]ace{deny, allow}, false},
		"granted first":         {[]ace{allow, deny}, true},
		"somebody else":         {[]ace{{mask: rightControl, object: rightResetPassword, trust: other}}, false},
		"another right":         {[]ace{{mask: rightControl, object: rightChangePassword, trust: me}}, false},
		"all extended rights":   {[]ace{{mask: rightControl, trust: me}}, true},
		"everything":            {[]ace{{mask: rightAll, trust: me}}, true},
		"another kind of right": {[]ace{{mask: 0x20, object: rightResetPassword, trust: me}}, false},
	} {
		if got := mayUse(one.list, []sid{sidSignedIn, me}, rightResetPassword); got != one.may {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestGroupsCountInEveryDomainOfTheForest(t *testing.T) {
	d := &directory{groups: map[string]bool{"S-1-5-21-9-9-9-4711": true}}
	for text, want := range map[string]bool{
		"S-1-5-21-1-2-3-512": true, "S-1-5-21-7-8-9-519": true, "S-1-5-32-544": true, "S-1-5-32-551": true, "S-1-5-21-9-9-9-4711": true,
		"S-1-5-21-1-2-3-513": false, "S-1-5-32-545": false, "S-1-5-32-512": false, "S-1-1-0": false, "S-1-5-11": false,
	} {
		if got := len(d.ruling([]sid{must(text), must(text)})) == 1; got != want {
			t.Errorf("%s: privileged %t", text, got)
		}
	}
}

// On a hardened domain only a few may read groups. Nobody is then taken for harmless.
func TestAccountWhoseGroupsAreHiddenCountsAsPrivileged(t *testing.T) {
	d := &directory{}
	person := account{classes: []string{"user"}, sid: must("S-1-5-21-1-2-3-1001"), readable: true}
	if class := d.classOf(person, self{}); !class.Privileged || !strings.Contains(class.Why, "Windows Authorization Access Group") {
		t.Errorf("hidden groups: %+v", class)
	}
	person.token = []sid{must("S-1-5-21-1-2-3-513")}
	if class := d.classOf(person, self{}); class.Privileged {
		t.Errorf("Domain Users alone: %+v", class)
	}
}

// Without userAccountControl nobody could tell whether a reset is enforced.
func TestAccountThatCannotBeReadIsNotChanged(t *testing.T) {
	d := &directory{base: &ldap.DN{}}
	f := d.refuse(account{dn: "CN=x,DC=y", classes: []string{"user"}}, self{}, schemas.ModeRandomize)
	if f == nil || f.Code != schemas.CodePermissionMissing || !strings.Contains(f.Detail, "dsacls") {
		t.Errorf("%v", f)
	}
}

func TestTrustsAndManagedAccountsAreNoPeople(t *testing.T) {
	user := []string{"top", "person", "user"}
	for name, one := range map[string]struct {
		a       account
		service bool
	}{
		"a person":                {account{classes: user, control: 0x200}, false},
		"inetOrgPerson":           {account{classes: append(user, "inetOrgPerson"), control: 0x200}, false},
		"a trust":                 {account{classes: user, control: 0x820}, true},
		"a managed account":       {account{classes: append(user, "computer", "msDS-ManagedServiceAccount"), control: 0x1000}, true},
		"a delegated one":         {account{classes: append(user, "computer", "msDS-DelegatedManagedServiceAccount"), control: 0x1000}, true},
		"a read-only DC's krbtgt": {account{classes: user, name: "krbtgt_12345", control: 0x202}, true},
	} {
		if got := one.a.service(self{}) != ""; got != one.service {
			t.Errorf("%s: service %t", name, got)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	c := &Config{URLs: []string{"http://a", "ldaps://u:hunter22@b"}, BindUser: "resetd", BaseDN: "no dn", ProbeDN: "x", ProtectedGroups: []string{"Domain Admins"}}
	joined, ok := c.Validate().(interface{ Unwrap() []error })
	if !ok {
		t.Fatal("the mistakes are not joined")
	}
	var keys []string
	for _, one := range joined.Unwrap() {
		mistake, ok := errors.AsType[*connectors.ConfigError](one)
		if !ok {
			t.Fatalf("%v is no mistake at a key", one)
		}
		keys = append(keys, mistake.Key)
	}
	want := "urls urls bind_user password base_dn probe_dn protected_groups timeout pool"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("mistakes at %s; want %s", got, want)
	}
	if strings.Contains(c.Validate().Error(), "hunter22") {
		t.Error("a password in an address shows in the error")
	}
	good := Kind().New().(*Config)
	good.URL, good.BindUser, good.BaseDN, good.Password, good.ProbeDN = "ldap://dc", "a@b.test", "DC=b,DC=test", schemas.NewSecret("x"), "CN=x,DC=other,DC=test"
	if mistake, ok := errors.AsType[*connectors.ConfigError](good.Validate()); !ok || mistake.Key != "probe_dn" {
		t.Errorf("a probe_dn outside of base_dn: %v", good.Validate())
	}
	good.ProbeDN = "CN=x,DC=B,DC=test"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// Whatever a sender calls an account, the filter stays the one that was meant, with the name as its value.
func FuzzNamesStayValues(f *testing.F) {
	for _, seed := range []string{"jdoe", "*", "a)(b=*", `\`, `\2a`, "ž", "\xff", "(", "&|!~<>=", "jdoe@corp.test", "a)(b=*@corp.test"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, filter := range []string{equals("sAMAccountName", name), loginFilter(name, "corp.test"), mailFilter(name)} {
			packet, err := ldap.CompileFilter(filter)
			if err != nil {
				t.Fatalf("%q: %v", filter, err)
			}
			parts := packet.Children
			if packet.Tag == ldap.FilterEqualityMatch {
				parts = append(parts[:0:0], packet)
			} else if packet.Tag != ldap.FilterOr || len(parts) != 2 {
				t.Fatalf("%q is not what was meant", filter)
			}
			for _, one := range parts {
				if one.Tag != ldap.FilterEqualityMatch || !strings.Contains(name, strings.TrimPrefix(one.Children[1].Data.String(), "smtp:")) {
					t.Errorf("%q became %q", name, filter)
				}
			}
		}
	})
}
