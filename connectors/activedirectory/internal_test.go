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
		"stamps shown meanwhile":    {ev("1:a:10 2:a:11", true), hiddenOld, 0, false, schemas.ProofEnforced, "", false},
		"stamps hidden meanwhile":   {hidden("12 13440", true), old, 0, false, schemas.ProofEnforced, "", false},
		"first password of anybody": {ev("1:a:9 1:a:9", true), ev("none 1:a:3", false), 0, false, schemas.ProofEnforced, "", true},
	} {
		got := judge(account{evidence: one.now, control: one.control, readable: !one.hidden}, one.since)
		if got.State != one.state || got.Code != one.code || got.Changed != one.changed || got.Evidence != one.now || got.Detail == "" {
			t.Errorf("%s: %+v; want %s, %q, changed %t", name, got, one.state, one.code, one.changed)
		}
	}
}

// No Windows was asked: these are the commands of its own tool, and Samba's, for whichever of the two answered.
func TestGrantsAreWrittenForWhoeverAnswers(t *testing.T) {
	base, err := ldap.ParseDN("DC=corp,DC=example,DC=com")
	if err != nil {
		t.Fatal(err)
	}
	own := sid([]byte{1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 80, 4, 0, 0})
	for name, one := range map[string]struct {
		samba bool
		self  self
		want  []string
	}{
		"Windows": {false, self{name: "resetd", sid: own},
			[]string{`dsacls "OU=Staff,`, `"CORP\resetd:CA;Reset Password;user" "CORP\resetd:RPWP;pwdLastSet;user"`, `"CORP\resetd:RP;userAccountControl;user" "CORP\resetd:RP;pwdLastSet;user"`}},
		"Samba": {true, self{name: "resetd", sid: own},
			[]string{`samba-tool dsacl set --objectdn="OU=Staff,`, ";" + own.String() + `)"`, "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;", "(OA;CIIO;RP;bf967a68-0de6-11d0-a285-00aa003049e2;"}},
		"Samba, and our own account is not found": {true, self{}, []string{"SID=$(samba-tool user show", `;$SID)"`}},
	} {
		d := &directory{config: Config{BindUser: "resetd@corp.example.com"}, base: base}
		d.facts.samba, d.facts.netbios, d.facts.self = one.samba, "CORP", one.self
		const dn = "CN=Jane,OU=Staff,DC=corp,DC=example,DC=com"
		text := d.grantReset(dn) + "\n" + d.grantRead(dn)
		for _, words := range one.want {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
				t.Errorf("%s: %s\ndoes not say %s", name, text, words)
			}
		}
		if strings.Contains(text, "dsacls") == strings.Contains(text, "samba-tool") {
			t.Errorf("%s: commands for both, or for neither: %s", name, text)
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
		"Entra Connect":           {account{classes: user, name: "MSOL_0a1b2c3d4e5f", control: 0x10200}, true},
		"a person named alike":    {account{classes: user, name: "msol_miller", control: 0x200}, false},
		"a service":               {account{classes: user, serves: true, control: 0x200}, true},
		"a read-only DC's krbtgt": {account{classes: user, name: "krbtgt_12345", control: 0x202}, true},
	} {
		if got := one.a.service(self{}) != ""; got != one.service {
			t.Errorf("%s: service %t", name, got)
		}
	}
}

// A domain controller takes more forms of a name than resetd can look up, such as resetd@CORP. The session knows who it is.
func TestOwnAccountIsKnownByTheSIDOfTheSession(t *testing.T) {
	me := self{token: []sid{must("S-1-5-21-1-2-3-1105"), must("S-1-5-21-1-2-3-513")}}
	if !(account{sid: must("S-1-5-21-1-2-3-1105")}).ourselves(me) {
		t.Error("the own account is not known")
	}
	if (account{sid: must("S-1-5-21-1-2-3-1106")}).ourselves(me) || (account{}).ourselves(self{token: []sid{""}}) {
		t.Error("another account counts as the own one")
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
	good.ProbeDN, good.URL = "", "ldaps://dc:3269"
	if mistake, ok := errors.AsType[*connectors.ConfigError](good.Validate()); !ok || mistake.Key != "url" {
		t.Errorf("a global catalog: %v", good.Validate())
	}
	good.ProbeDN, good.URL = "CN=x,DC=B,DC=test", "ldap://dc"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// No such domain controller can be had here, so what it says of itself is made here.
func TestDomainControllerThatIsReadOnlyOrBehindIsLeftForTheNext(t *testing.T) {
	for name, one := range map[string]struct {
		says map[string][]string
		want string
	}{
		"writable":  {map[string][]string{"supportedCapabilities": {oidActiveDirectory}, "isSynchronized": {"TRUE"}}, ""},
		"silent":    {map[string][]string{"supportedCapabilities": {oidActiveDirectory}}, ""},
		"read-only": {map[string][]string{"supportedCapabilities": {oidActiveDirectory, oidReadOnly}}, "read-only"},
		"behind":    {map[string][]string{"supportedCapabilities": {oidActiveDirectory}, "isSynchronized": {"FALSE"}}, "caught up"},
	} {
		if got := unfit(ldap.NewEntry("", one.says)); (got == "") != (one.want == "") || !strings.Contains(got, one.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Windows finds josé for jose, and the other way round. Samba does not, so the entries are made here.
func TestEntryThatIsFoundUnderAnotherNameIsNotTheOne(t *testing.T) {
	entry := ldap.NewEntry("CN=José,DC=corp,DC=test", map[string][]string{"sAMAccountName": {"josé"}, "userPrincipalName": {"José@corp.test"},
		"mail": {"josé@example.com"}, "proxyAddresses": {"SMTP:josé@example.com", "smtp:second@example.com"}})
	_, plain := loginFilter("jose@corp.test", "corp.test")
	_, exact := loginFilter("JOSÉ@corp.test", "corp.test")
	for name, one := range map[string]struct{ got, want bool }{
		"user name": {bears("jose", attrName)(entry), false}, "login": {plain(entry), false}, "address": {mailedTo("jose@example.com")(entry), false},
		"the user name": {bears("José", attrName)(entry), true}, "the login": {exact(entry), true}, "the address": {mailedTo("josé@EXAMPLE.com")(entry), true},
		"another address": {mailedTo("second@example.com")(entry), true}, "no type of address": {mailedTo("smtp:second@example.com")(entry), false},
	} {
		if one.got != one.want {
			t.Errorf("%s: %t", name, one.got)
		}
	}
}

// Whatever a sender calls an account, the filter stays the one that was meant, with the name as its value.
func FuzzNamesStayValues(f *testing.F) {
	for _, seed := range []string{"jdoe", "*", "a)(b=*", `\`, `\2a`, "ž", "\xff", "(", "&|!~<>=", "jdoe@corp.test", "a)(b=*@corp.test"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		login, _ := loginFilter(name, "corp.test")
		for _, filter := range []string{equals("sAMAccountName", name), login, mailFilter(name)} {
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
