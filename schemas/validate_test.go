package schemas

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckNamesEveryBadFieldWithItsPointer(t *testing.T) {
	long := strings.Repeat("x", 300)
	bad := `{"account":"a\\b\\c","systems":["ok","Not OK","ok"],"action":"delete","mode":"maybe","description":"a\u202eb","reference":"` + long + `","callback":{"url":"nope","events":["final","someday"]}}`
	fields := []string{"account", "systems", "action", "mode", "description", "reference", "callback/url", "callback/events/1"}
	for name, c := range map[string]struct{ data, prefix string }{
		"a single request":   {bad, "/data/"},
		"the third of three": {`[{"account":"a"},{"account":"b"},` + bad + `]`, "/data/2/"},
	} {
		_, p := read(body(c.data))
		if p == nil {
			t.Fatalf("%s: taken", name)
		}
		var want []string
		for _, f := range fields {
			want = append(want, c.prefix+f)
		}
		if got := pointers(p); !slices.Equal(got, want) || p.Status != 422 {
			t.Errorf("%s: got %d at %q, want %q", name, p.Status, got, want)
		}
		for _, e := range p.Errors {
			t.Logf("%-28s %s", e.Pointer, e.Detail)
			if e.Detail == "" || strings.Contains(e.Detail, long) || strings.Contains(e.Detail, "does not meet the rule") {
				t.Errorf("%s: %q explains nothing", e.Pointer, e.Detail)
			}
		}
	}
}

func TestCheckNamesBadFieldsOfSeveralRequests(t *testing.T) {
	_, p := read(`{"type":"password_reset.done","timestamp":"0001-01-01T00:00:00Z","data":[{"account":""},{"account":"a"},{"systems":["x y"],"account":{"type":"upn","value":"a"}}]}`)
	if p == nil {
		t.Fatal("taken")
	}
	if want := []string{"/type", "/timestamp", "/data/0/account", "/data/2/account", "/data/2/systems/0"}; !slices.Equal(pointers(p), want) {
		t.Errorf("got %q, want %q", pointers(p), want)
	}
}

func TestCheckTakesAndRefusesByEachRule(t *testing.T) {
	for name, c := range map[string]struct{ data, pointer string }{
		"the least":                      {`{"account":"a"}`, ""},
		"no systems":                     {`{"account":"a","systems":[]}`, ""},
		"a password set since the alert": {`{"account":"a","skip_if_changed_since":"2026-11-22T07:00:00Z"}`, ""},
		"a time that was never set":      {`{"account":"a","skip_if_changed_since":"1970-01-01T00:00:00Z"}`, "/data/skip_if_changed_since"},
		"nulls":                          {`{"account":"a","systems":null,"callback":null,"revoke_sessions":null}`, ""},
		"an empty callback":              {`{"account":"a","callback":{}}`, ""},
		"lines in a description":         {`{"account":"a","description":"one\ntwo\r\n\tthree"}`, ""},
		"64 systems":                     {`{"account":"a","systems":[` + names(64) + `]}`, ""},
		"a description of 4096 bytes":    {`{"account":"a","description":"` + strings.Repeat("ä", 2048) + `"}`, ""},
		"every event":                    {`{"account":"a","callback":{"events":["final","queued","pending_approval","in_progress","successful","partially_successful","unsuccessful","rejected","cancelled"]}}`, ""},
		"no account":                     {`{"systems":["a"]}`, "/data/account"},
		"a null account":                 {`{"account":null}`, "/data/account"},
		"null":                           {`null`, "/data/account"},
		"a null in a batch":              {`[{"account":"a"},null]`, "/data/1/account"},
		"white space around an account":  {`{"account":" a"}`, "/data/account"},
		"an account with a mark":         {`{"account":"jdoe\u200f"}`, "/data/account"},
		"65 systems":                     {`{"account":"a","systems":[` + names(65) + `]}`, "/data/systems"},
		"a system twice":                 {`{"account":"a","systems":["x","x"]}`, "/data/systems"},
		"a system in capitals":           {`{"account":"a","systems":["Corp"]}`, "/data/systems/0"},
		"a system with a path":           {`{"account":"a","systems":["../x"]}`, "/data/systems/0"},
		"an empty system":                {`{"account":"a","systems":[""]}`, "/data/systems/0"},
		"a system that ends in a dash":   {`{"account":"a","systems":["a-"]}`, "/data/systems/0"},
		"a system of 64 letters":         {`{"account":"a","systems":["` + strings.Repeat("a", 64) + `"]}`, "/data/systems/0"},
		"a system with a line feed":      {`{"account":"a","systems":["a\n"]}`, "/data/systems/0"},
		"a lone carriage return":         {`{"account":"a","description":"nothing to see\rjdoe"}`, "/data/description"},
		"an escape sequence":             {`{"account":"a","description":"\u001b[2J"}`, "/data/description"},
		"an RTL mark in a description":   {`{"account":"a","description":"case \u200f4711"}`, "/data/description"},
		"a line in a reference":          {`{"account":"a","reference":"INC1\nINC2"}`, "/data/reference"},
		"a description of 4097 bytes":    {`{"account":"a","description":"` + strings.Repeat("ä", 2048) + `x"}`, "/data/description"},
		"a relative callback":            {`{"account":"a","callback":{"url":"/hooks"}}`, "/data/callback/url"},
		"a callback of 2049 letters":     {`{"account":"a","callback":{"url":"https://a/` + strings.Repeat("x", 2049-len("https://a/")) + `"}}`, "/data/callback/url"},
		"an event twice":                 {`{"account":"a","callback":{"events":["final","final"]}}`, "/data/callback/events"},
		"an enforcement's status":        {`{"account":"a","callback":{"events":["not_found"]}}`, "/data/callback/events/0"},
		"1,001 requests":                 {`[` + strings.Repeat(`{"account":"a"},`, 1000) + `{"account":"a"}]`, "/data"},
		"5,000 requests, all bad":        {`[` + strings.Repeat(`{},`, 4999) + `{}]`, "/data"},
	} {
		d, p := read(body(c.data))
		switch {
		case c.pointer == "" && p != nil:
			t.Errorf("%s: refused: %+v", name, p.Errors)
		case c.pointer != "" && (p == nil || p.Status != 422 || !slices.Equal(pointers(p), []string{c.pointer})):
			t.Errorf("%s: got %+v, want one error at %s", name, p, c.pointer)
		}
		if len(d.Data.Items) > MaxRequests+1 {
			t.Errorf("%s: %d requests were kept", name, len(d.Data.Items))
		}
	}
}

func TestADeliveryWithoutDataIsNoEmptyBatch(t *testing.T) {
	_, p := read(`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z"}`)
	if p == nil || !slices.Equal(pointers(p), []string{"/data"}) {
		t.Errorf("got %+v", p)
	}
}

func TestCheckOfABareRequestPointsFromItsRoot(t *testing.T) {
	p := NewValidator().Check(&Request{Account: Account{AccountUserName, "a"}, Systems: []string{"x", "Y"}, Callback: &CallbackRequest{URL: "x"}})
	if p == nil || !slices.Equal(pointers(p), []string{"/systems/1", "/callback/url"}) {
		t.Errorf("got %+v", p)
	}
}

func TestAProblemIsAnErrorThatSaysWhatAndWhatToDo(t *testing.T) {
	if got := NewProblem(422, "x", "Title", "Do this.").Error(); got != "Title: Do this." {
		t.Errorf("got %q", got)
	}
	if got := NewProblem(422, "x", "Title", "").Error(); got != "Title" {
		t.Errorf("got %q", got)
	}
	var back Problem
	p := NewProblem(422, "x", "Title", "Do this.", FieldError{Pointer: "/a", Detail: "wrong"})
	if q := Decode([]byte(encode(t, p)), &back); q != nil || back.Type != "urn:resetd:problem:x" || len(back.Errors) != 1 || back.Status != 422 {
		t.Errorf("got %+v, %v", back, q)
	}
}

// names lists n different system names as JSON strings.
func names(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = `"s` + strings.Repeat("x", i%8) + string(rune('a'+i/8)) + `"`
	}
	return strings.Join(out, ",")
}
