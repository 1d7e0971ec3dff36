package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas/sender"
)

// one maps a body {"u": value} and gives the accounts, or the type of the problem and its first detail.
func one(t *testing.T, account, as string, value any) string {
	t.Helper()
	m := compile(t, mapping.Program{Map: sender.Map{Account: sender.Expressions{account}, AccountType: as}})
	body, err := json.Marshal(map[string]any{"u": value})
	if err != nil {
		t.Fatal(err)
	}
	r, p := m.Map(t.Context(), mapping.Input{Body: body, Now: now})
	if p == nil {
		return accountsOf(r)
	}
	if p.Status != 422 || len(p.Errors) == 0 {
		t.Fatalf("%+v", p)
	}
	return "!" + strings.TrimPrefix(p.Type, "urn:resetd:problem:") + " " + p.Errors[0].Detail
}

func TestWhatIsNotCertainIsRefused(t *testing.T) {
	for value, want := range map[string]string{
		// not filled in
		"{{user}}": "did not fill in", "${user}": "did not fill in", "$result.user$": "did not fill in", "$user": "did not fill in",
		"%user%": "did not fill in", "<user>": "did not fill in", "{user}": "did not fill in", "#{user}": "did not fill in",
		"<%= user %>": "did not fill in", "[[user]]": "did not fill in", "EXAMPLE\\{{user}}": "did not fill in", "${user}@example.com": "did not fill in",
		"@{triggerBody()?['user']}": "did not fill in", "$(user)": "did not fill in", "[user]": "did not fill in",
		// nobody
		"-": "names nobody", "N/A": "names nobody", "null": "names nobody", "NONE": "names nobody", "(null)": "names nobody", "unknown": "names nobody",
		"undefined": "names nobody", "*": "nobody in particular", "Everyone": "nobody in particular", "Anonymous": "nobody in particular",
		`EXAMPLE\*`: "masked", `EXAMPLE\all`: "nobody in particular",
		// masked
		"j***@example.com": "masked", "jdoe@exam…": "masked", "jdoe@exam...": "masked", "[REDACTED]": "did not fill in", "redacted": "masked",
		// the operating system and services
		"SYSTEM": "operating system", "Local Service": "operating system", "NETWORK SERVICE": "operating system", "ANONYMOUS LOGON": "operating system",
		"DWM-1": "operating system", "UMFD-0": "operating system", `Window Manager\DWM-1`: "operating system", `Font Driver Host\UMFD-0`: "operating system",
		`NT AUTHORITY\SYSTEM`: "operating system", `NT AUTHORITY\IUSR`: "operating system", `NT AUTHORITY\jdoe`: "local", `BUILTIN\Administrators`: "local",
		`IIS APPPOOL\DefaultAppPool`: "local", `NT SERVICE\MSSQLSERVER`: "local", `.\jdoe`: "local", `WORKGROUP\jdoe`: "local", `localhost\jdoe`: "local",
		`AUTORITE NT\jdoe`: "local", `AzureAD\JaneDoe`: "local", "jdoe@localhost": "local", "jdoe@server01": "local", "jdoe@10.0.0.1": "local",
		"system:serviceaccount:kube-system:default": "operating system", "system@okta.com": "operating system", "backup@prj-1.iam.gserviceaccount.com": "of a service",
		// machines
		"HOST01$": "ends with $", `EXAMPLE\HOST01$`: "ends with $", "HOST01$@example.com": "ends with $", "10.0.0.1": "address of a machine", "fe80::1": "address of a machine",
		"HTTP/server.example.com": "service", "HTTP/server.example.com@EXAMPLE.COM": "service",
		// AWS
		"arn:aws:iam::123456789012:role/Admin": "ARN", "arn:aws:sts::123456789012:assumed-role/Admin/jdoe": "ARN", "arn:aws:iam::123456789012:root": "ARN",
		"arn:aws:iam::123456789012:user/jdoe": "arn_user()", "AROAEXAMPLEEXAMPLEEX:jdoe": "role", "AKIAEXAMPLEEXAMPLEEX": "access key",
		// SIDs
		"S-1-5-18": "well-known", "S-1-5-19": "well-known", "S-1-5-20": "well-known", "S-1-5-32-544": "well-known", "S-1-1-0": "well-known",
		"S-1-5-80-1-2-3-4-5": "well-known", "S-1-5-90-0-1": "well-known", "s-1-5-18": "well-known", "S-1-5-21-1-2-3": "well-known",
		// several, shown, and inside of a text
		"a@example.com,b@example.com": "several accounts", "a@example.com; b@example.com": "several accounts", "jdoe,asmith": "several accounts", "jdoe|asmith": "several accounts",
		"Jane Doe": "shown", "Doe, Jane": "several accounts", "Jane Doe <jdoe@example.com>": "address()", "mailto:jdoe@example.com": "address()",
		"jdoe@example.com (Jane Doe)": "inside of a text", "Jane jdoe@example.com": "inside of a text", `"jane doe"@example.com`: "inside of a text",
		"https://example.com/jdoe": "URL", "/home/jdoe": "URL", "CN=Jane Doe,OU=People,DC=example,DC=com": "dn()", "uid=jdoe": "dn()",
		// identifiers of something
		"1000": "number", "+49 30 123456": "shown", "+4930123456": "number", "46d44a5dc0a8010e0000c3ea8ad37d7a": "record",
		"jdoe:hunter2": "before a password", "jdoe@example.com:hunter2": "before a password", "jdoe@example.com|hunter2": "several", "{": "no letter", "+": "no letter",
		"user=jdoe": "no such name", "jdoe(admin)": "no such name", "jdoe?": "no such name", "__": "no letter", "jdoe@exam_ple.com": "no such name",
		// the form
		"a@b@example.com": "one @", `EXAMPLE\a\b`: "one backslash", "j\u200bdoe": "invisible", "S-1-5-x": "well-known",
	} {
		if got := one(t, "$.u", "", value); !strings.HasPrefix(got, "!") || !strings.Contains(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%q: %s; want %q", value, got, want)
		}
	}
}

func TestWhatIsCertainIsTaken(t *testing.T) {
	for _, c := range []struct{ value, as, want string }{
		{"jdoe", "", "user_name:jdoe"},
		{"root", "", "user_name:root"}, // the guard's business
		{"Administrator", "", "user_name:Administrator"},
		{"j.doe-ext_1", "", "user_name:j.doe-ext_1"},
		{"nadia", "", "user_name:nadia"},
		{"system@example.com", "", "login_or_email:system@example.com"},
		{"na@example.com", "", "login_or_email:na@example.com"},
		{"all@example.com", "", "login_or_email:all@example.com"},
		{"jdoe@corp.local", "", "login_or_email:jdoe@corp.local"},
		{"o'neil+x@example.com", "", "login_or_email:o'neil+x@example.com"},
		{"jdoe_gmail.com#EXT#@example.onmicrosoft.com", "", "login_or_email:jdoe_gmail.com#EXT#@example.onmicrosoft.com"},
		{"jürgen@example.com", "", "login_or_email:jürgen@example.com"},
		{`EXAMPLE\jdoe`, "", `down_level_logon_name:EXAMPLE\jdoe`},
		{`EXAMPLE\Jane Doe`, "", `down_level_logon_name:EXAMPLE\Jane Doe`},
		{`corp.example.com\jdoe`, "", `down_level_logon_name:corp.example.com\jdoe`},
		{"S-1-5-21-1111-2222-3333-1001", "", "sid:S-1-5-21-1111-2222-3333-1001"},
		{"S-1-12-1-1111-2222-3333-4444", "", "sid:S-1-12-1-1111-2222-3333-4444"},
		{"{6D3A1E5B-3F0C-4F57-9A8E-0D1B2C3D4E5F}", "", "object_id:6d3a1e5b-3f0c-4f57-9a8e-0d1b2c3d4e5f"},
		{"{6D3A1E5B-3F0C-4F57-9A8E-0D1B2C3D4E5F}", "object_id", "object_id:6d3a1e5b-3f0c-4f57-9a8e-0d1b2c3d4e5f"},
		{"00u1abcdEFGH2345678", "object_id", "object_id:00u1abcdEFGH2345678"},
		{"1000", "user_name", "user_name:1000"},
		{"46d44a5dc0a8010e0000c3ea8ad37d7a", "object_id", "object_id:46d44a5dc0a8010e0000c3ea8ad37d7a"},
		{"Jane Doe", "user_name", "user_name:Jane Doe"},
		{"CN=Doe\\, Jane,OU=People,DC=example,DC=com", "dn", "dn:CN=Doe\\, Jane,OU=People,DC=example,DC=com"},
		{"jdoe@server01", "login", "login:jdoe@server01"},
	} {
		if got := one(t, "$.u", c.as, c.value); got != c.want {
			t.Errorf("%q as %q: %s", c.value, c.as, got)
		}
	}
}

func TestATypeThatIsSetDoesNotMakeEverythingCertain(t *testing.T) {
	for _, c := range []struct{ value, as, want string }{
		{"{{user}}", "user_name", "fill in"}, {"HOST$", "user_name", "ends with $"}, {"SYSTEM", "user_name", "operating system"},
		{`EXAMPLE\jdoe`, "user_name", "has the form"}, {`NT AUTHORITY\SYSTEM`, "login", "operating system"}, {"jdoe", "email", "one @"},
		{"jdoe", "sid", "a SID looks like"}, {"S-1-5-18", "sid", "well-known"}, {"S-1-5-18", "user_name", "well-known"}, {"arn:aws:iam::123456789012:role/x", "user_name", "ARN"},
		{"a b", "object_id", "white space"}, {"a,b", "user_name", "several"}, {"jdoe@server01", "email", "local"}, {"10.0.0.1", "user_name", "machine"},
		{"*", "dn", "in particular"}, {"", "dn", "empty"},
	} {
		if got := one(t, "$.u", c.as, c.value); !strings.HasPrefix(got, "!") || !strings.Contains(got, c.want) {
			t.Errorf("%q as %s: %s", c.value, c.as, got)
		}
	}
}

func TestValuesThatAreNoTexts(t *testing.T) {
	for _, c := range []struct {
		value any
		as    string
		want  string
	}{
		{true, "", "true or false"},
		{1.5, "user_name", "a number with a fraction"},
		{4711, "", "it is a number"},
		{4711, "user_name", "user_name:4711"},
		{json.RawMessage("18446744073709551615"), "object_id", "object_id:18446744073709551615"},
		{json.RawMessage("123456789012345678901234567890"), "object_id", "object_id:123456789012345678901234567890"},
		{json.RawMessage("123456789012345678901234567890"), "", "it is a number"},
		{map[string]any{"name": "jdoe"}, "", "it is an object"},
		{map[string]any{"type": "work", "value": "jdoe@example.com"}, "", "it is an object"},
		{map[string]any{"type": "email", "value": "jdoe@example.com", "primary": true}, "", "it is an object"},
		{map[string]any{"type": "email", "value": 1}, "", "it is an object"},
		{map[string]any{"type": "email", "value": nil}, "", "looked for"},
		{map[string]any{"type": "email", "value": "jdoe@example.com"}, "sid", "email:jdoe@example.com"},
		{[]any{"jdoe", []any{"asmith"}}, "", "a list inside of a list"},
		{[]any{nil, "", "-"}, "", "looked for"},
		{[]any{"jdoe", "-"}, "", "user_name:jdoe"},
		{[]any{"jdoe", "JDOE", " jdoe "}, "", "user_name:jdoe"},
		{[]any{"jdoe", "HOST$"}, "", "ends with $"},
	} {
		if got := one(t, "$.u", c.as, c.value); !strings.Contains(got, c.want) {
			t.Errorf("%v as %q: %s", c.value, c.as, got)
		}
	}
}

func TestFunctionsThatSayWhatAnAccountIs(t *testing.T) {
	for _, c := range []struct {
		source string
		value  any
		want   string
	}{
		{`login(body.u)`, "jdoe", "login:jdoe"},
		{`email(body.u)`, " jdoe@example.com ", "email:jdoe@example.com"},
		{`user_name(body.u)`, 4711, "user_name:4711"},
		{`user_name(body.u)`, 1.5, "!mapping_failed map.account[0]: user_name takes"},
		{`user_name(body.u)`, true, "!mapping_failed"},
		{`user_name(body.u)`, map[string]any{}, "!mapping_failed"},
		{`user_name(body.u)`, []any{"a", nil, "b"}, "user_name:a user_name:b"},
		{`user_name(body.u)`, []any{}, "!no_account"},
		{`login_or_email(body.u)`, "jdoe@example.com", "login_or_email:jdoe@example.com"},
		{`sid(body.u)`, "S-1-5-21-1-2-3-1104", "sid:S-1-5-21-1-2-3-1104"},
		{`object_id(body.u)`, "00u1", "object_id:00u1"},
		{`dn(body.u)`, "uid=jdoe,dc=example", "dn:uid=jdoe,dc=example"},
		{`login(body.?x)`, "", "!no_account"},
		{`login(body.x.y)`, "", "!no_account"},
		{`down_level("EXAMPLE", body.u)`, "jdoe", `down_level_logon_name:EXAMPLE\jdoe`},
		{`down_level("EXAMPLE", body.u)`, `A\jdoe`, "!mapping_failed"},
		{`down_level("", body.u)`, "jdoe", "!no_account"},
		{`down_level(split_account(body.u).domain, split_account(body.u).name)`, `A\jdoe`, `down_level_logon_name:A\jdoe`},
		{`down_level(split_account(body.u).domain, split_account(body.u).name)`, `jdoe`, "!no_account"},
		{`arn_user(body.u)`, "arn:aws:iam::123456789012:user/jdoe", "user_name:jdoe"},
		{`arn_user(body.u)`, "arn:aws-us-gov:iam::123456789012:user/a/b/jdoe", "user_name:jdoe"},
		{`arn_user(body.u)`, "arn:aws:iam::123456789012:root", "!mapping_failed"},
		{`arn_user(body.u)`, "arn:aws:sts::123456789012:assumed-role/x/jdoe", "!mapping_failed"},
		{`arn_user(body.u)`, "arn:aws:sts::123456789012:federated-user/jdoe", "!mapping_failed"},
		{`arn_user(body.u)`, "arn:aws:iam::123456789012:user/", "!mapping_failed"},
		{`arn_user(body.u)`, "jdoe", "!mapping_failed"},
		{`address(body.u)`, `"Doe, Jane" <jdoe@example.com>`, "login_or_email:jdoe@example.com"},
		{`address(body.u)`, "mailto:jdoe@example.com?subject=x", "login_or_email:jdoe@example.com"},
		{`address(body.u)`, "mailto:j%64oe@example.com", "!mapping_failed"},
		{`address(body.u)`, "a@example.com, b@example.com", "!mapping_failed"},
		{`email(address(body.u))`, "jdoe@example.com", "email:jdoe@example.com"},
		{`email(address(body.u))`, nil, "!no_account"},
		{`first(body.u)`, []any{nil, "", "jdoe", "x"}, "user_name:jdoe"},
		{`first(body.u)`, "jdoe", "user_name:jdoe"},
		{`array(body.u).map(x, x.n)`, map[string]any{"n": "jdoe"}, "user_name:jdoe"},
		{`array(body.u).map(x, x.n)`, []any{map[string]any{"n": "jdoe"}}, "user_name:jdoe"},
		{`array(body.x.y)`, nil, "!no_account"},
		{`flatten(body.u)`, []any{[]any{"a", "b"}, nil, "c", []any{}}, "user_name:a user_name:b user_name:c"},
		{`flatten(array(body.u).map(x, array(x.l)))`, []any{map[string]any{"l": "a"}, map[string]any{}, map[string]any{"l": []any{"b"}}}, "user_name:a user_name:b"},
		{`array(body.?x)`, nil, "!no_account"},
		{`capture(body.u, "nothing")`, "user=jdoe", "!no_account"},
		{`capture(body.u, "user=(\\S+)")`, "user=jdoe", "user_name:jdoe"},
		{`capture(body.u, "j[a-z]+")`, "user=jdoe", "user_name:jdoe"},
		{`trim(lower(body.u))`, " JDOE ", "user_name:jdoe"},
		{`body.u.split("@")[0]`, "jdoe@example.com", "user_name:jdoe"},
		{`body.u.substring(2, 6)`, "éxjdoeé", "user_name:jdoe"},
		{`body.u.substring(body.u.lastIndexOf("/") + 1)`, "a/b/jdoe", "user_name:jdoe"},
		{`body.u.substring(9)`, "jdoe", "!mapping_failed"},
		{`body.u.replace("x", "").upperAscii()`, "xjdoe", "user_name:JDOE"},
		{`parse_json(body.u).a`, `{"a":"jdoe"}`, "user_name:jdoe"},
		{`parse_json(body.u).a`, `{"a":"jdoe","a":"asmith"}`, "!mapping_failed map.account[0]: parse_json"},
		{`parse_json(body.u).a`, `{`, "!mapping_failed"},
		{`parse_json(body.x).a`, ``, "!no_account"},
		{`{"type": "login", "value": body.u}`, "jdoe", "login:jdoe"},
		{`[body.u, body.u + "2"]`, "jdoe", "user_name:jdoe user_name:jdoe2"},
		{`[body.u] + ["asmith"] + [body.x]`, "jdoe", "!no_account"},
		{`[body.u] + ["asmith"] + [body.?x.orValue(null)]`, "jdoe", "user_name:jdoe user_name:asmith"},
		{`[{"type": "login", "value": body.u}] + [login("asmith")]`, "jdoe", "login:jdoe login:asmith"},
		{`body.u + [body.u[0]]`, []any{"jdoe"}, "user_name:jdoe"},
		{`(body.u + [body.u[0]]).map(x, {"v": x})[0].v`, []any{"jdoe"}, "user_name:jdoe"},
		{`{"a": [body.u] + ["x"]}.a`, "jdoe", "user_name:jdoe user_name:x"},
		{`body.u + body.x`, "jdoe", "!no_account"},
		{`body.u + 1`, "jdoe", "!mapping_failed map.account[0]: a value has another type"},
		{`int(body.u)`, "secretvalue", "!mapping_failed map.account[0]: it fails on this value"},
	} {
		if got := one(t, "="+c.source, "", c.value); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s of %v: %s; want %s", c.source, c.value, got, c.want)
		} else if strings.Contains(got, "secretvalue") {
			t.Errorf("%s: the value is quoted: %s", c.source, got)
		}
	}
}
