package schemas

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// body wraps data into a delivery.
func body(data string) string {
	return `{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":` + data + `}`
}

// read decodes and validates as the HTTP face does.
func read(text string) (Delivery, *Problem) {
	var d Delivery
	p := Decode([]byte(text), &d)
	if p == nil {
		p = NewValidator().Check(&d)
	}
	return d, p
}

func pointers(p *Problem) (out []string) {
	for _, e := range p.Errors {
		out = append(out, e.Pointer)
	}
	return out
}

func TestDecodeRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		status  int
		pointer string
	}{
		"nothing":                           {``, 400, ""},
		"white space":                       {" \n ", 400, ""},
		"no JSON":                           {`password=hunter2`, 400, ""},
		"an early end":                      {`{"type":"password_reset.requested"`, 400, ""},
		"an early end in the data":          {strings.TrimSuffix(body(`[{"account":"a"},{"acc`), "}"), 400, "/data/1"},
		"something behind":                  {body(`{"account":"a"}`) + ` {}`, 400, ""},
		"a comma behind":                    {body(`{"account":"a"}`) + `,`, 400, ""},
		"a comment":                         {`/* hello */` + body(`{"account":"a"}`), 400, ""},
		"a byte order mark":                 {"\ufeff" + body(`{"account":"a"}`), 400, ""},
		"a number with a leading zero":      {body(`{"account":"a","dry_run":01}`), 422, "/data/dry_run"},
		"NaN":                               {body(`{"account":"a","dry_run":NaN}`), 400, "/data/dry_run"},
		"single quotes":                     {body(`{'account':"a"}`), 400, "/data"},
		"a trailing comma":                  {body(`{"account":"a",}`), 400, "/data"},
		"a raw line feed in a string":       {body("{\"account\":\"a\nb\"}"), 400, "/data/account"},
		"bytes that are not UTF-8":          {body("{\"account\":\"a\xff\"}"), 400, "/data/account"},
		"half a surrogate pair":             {body(`{"account":"a","description":"\ud83d"}`), 400, "/data/description"},
		"a key twice":                       {body(`{"account":"a","account":"b"}`), 400, "/data/account"},
		"a key twice, once escaped":         {body(`{"account":"a","acc\u006funt":"b"}`), 400, "/data/account"},
		"a key twice at the top":            {`{"type":"password_reset.requested","type":"x"}`, 400, "/type"},
		"a key twice in a batch":            {body(`[{"account":"a"},{"account":"a","account":"b"}]`), 400, "/data/1/account"},
		"a key twice beyond the last taken": {body(`[` + strings.Repeat(`{"account":"a"},`, 1002) + `{"account":"a","account":"b"}]`), 400, "/data/1002/account"},
		"a key twice inside an account":     {body(`{"account":{"type":"sid","value":"a","value":"b"}}`), 400, "/data/account/value"},
		"an unknown field":                  {body(`{"acount":"a"}`), 422, "/data/acount"},
		"an unknown field in a batch":       {body(`[{"account":"a"},{"account":"b","x~y/z":1}]`), 422, "/data/1/x~0y~1z"},
		"an unknown field at the top":       {`{"kind":"x"}`, 422, "/kind"},
		"another letter case":               {body(`{"Account":"a"}`), 422, "/data/Account"},
		"an unknown field of the callback":  {body(`{"account":"a","callback":{"uri":"https://a"}}`), 422, "/data/callback/uri"},
		"an array at the top":               {`[]`, 422, ""},
		"a string at the top":               {`"password_reset.requested"`, 422, ""},
		"data of another type":              {body(`7`), 422, "/data"},
		"a batch that holds a number":       {body(`[{"account":"a"},7]`), 422, "/data/1"},
		"a batch in a batch":                {body(`[[{"account":"a"}]]`), 422, "/data/0"},
		"systems that are no list":          {body(`{"account":"a","systems":"corp-ad"}`), 422, "/data/systems"},
		"a system that is no string":        {body(`{"account":"a","systems":["a",7]}`), 422, "/data/systems/1"},
		"a boolean in quotes":               {body(`{"account":"a","dry_run":"true"}`), 422, "/data/dry_run"},
		"an account that is a number":       {body(`{"account":7}`), 422, "/data/account"},
		"an account with an unknown part":   {body(`{"account":{"type":"sid","value":"S-1-5-18","domain":"x"}}`), 422, "/data/account"},
		"a time that is none":               {strings.Replace(body(`{"account":"a"}`), "2026-11-22T07:00:00Z", "yesterday", 1), 422, "/timestamp"},
		"a time in seconds":                 {strings.Replace(body(`{"account":"a"}`), `"2026-11-22T07:00:00Z"`, "1795330800", 1), 422, "/timestamp"},
		"a day that is none":                {body(`{"account":"a","occurred_at":"2026-02-30T00:00:00Z"}`), 422, "/data/occurred_at"},
	} {
		_, p := read(c.text)
		if p == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		if p.Status != c.status || len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Detail == "" || p.Detail == "" || p.Title == "" {
			t.Errorf("%s: got %d at %q, want %d at %q (%+v)", name, p.Status, pointers(p), c.status, c.pointer, p.Errors)
		}
		if strings.Contains(fmt.Sprintf("%+v", *p), "hunter2") {
			t.Errorf("%s: the problem quotes the body", name)
		}
	}
}

func TestDecodeTakesOneRequestOrAList(t *testing.T) {
	for text, want := range map[string]struct {
		batch bool
		n     int
	}{
		`{"account":"a"}`:   {false, 1},
		`[{"account":"a"}]`: {true, 1},
		`[]`:                {true, 0},
		` [ {"account":"a"} , {"account":"b"} ] `:                          {true, 2},
		`[` + strings.Repeat(`{"account":"a"},`, 999) + `{"account":"a"}]`: {true, 1000},
	} {
		d, p := read(body(text))
		if p != nil || d.Data.Batch != want.batch || len(d.Data.Items) != want.n {
			t.Errorf("%.40s: got batch %v of %d, %v", text, d.Data.Batch, len(d.Data.Items), p)
			continue
		}
		var again Delivery
		if p := Decode([]byte(encode(t, d)), &again); p != nil || len(again.Data.Items) != want.n || encode(t, again) != encode(t, d) {
			t.Errorf("%.40s comes back as %.80s, %v", text, encode(t, again), p)
		}
	}
}

func TestDecodeReadsEveryFieldOfTheDocumentedBody(t *testing.T) {
	d, p := read(body(`{"account":"jdoe@example.com","description":"Credential phish,\r\n\tcase 4711","reference":"INC0012345","systems":["corp-ad","okta_1"],
		"action":"force_password_reset","mode":"expire","revoke_sessions":false,"dry_run":true,"occurred_at":"2026-11-22T06:59:00.5+01:00",
		"callback":{"url":"https://soar.example.com/hooks/resetd","events":["final","queued"]}}`))
	if p != nil {
		t.Fatal(p, p.Errors)
	}
	r := d.Data.Items[0]
	if r.Account.Type != AccountAddress || !slices.Equal(r.Systems, []string{"corp-ad", "okta_1"}) || r.Mode != ModeExpire || *r.RevokeSessions || !r.DryRun ||
		r.Reference != "INC0012345" || r.OccurredAt.UnixMilli() != 1795327140500 || r.Callback.URL != "https://soar.example.com/hooks/resetd" || len(r.Callback.Events) != 2 {
		t.Errorf("got %+v", r)
	}
	if with := r.WithDefaults(); with.Mode != ModeExpire || *with.RevokeSessions {
		t.Errorf("defaults replaced what was said: %+v", with)
	}
	plain := Request{}.WithDefaults()
	if plain.Action != ActionForcePasswordReset || plain.Mode != ModeRandomize || !*plain.RevokeSessions {
		t.Errorf("defaults: %+v", plain)
	}
}

func TestEncodeWritesWhateverASystemAnswered(t *testing.T) {
	e := Event{TaskID: "t", Seq: 1, At: noon, Detail: "invalid\xffDN \xed\xa0\x80"}
	var back Event
	if p := Decode([]byte(encode(t, e)), &back); p != nil || !strings.Contains(back.Detail, "invalid\ufffdDN") {
		t.Errorf("got %q, %v", back.Detail, p)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{body(`{"account":"a"}`), body(`[{"account":{"type":"sid","value":"S-1-5-18"}},{"account":"b","systems":["x"]}]`), body(`{"account":"a","account":"b"}`),
		body(`{"account":"a\u202e","callback":{"url":"x","events":["final","final"]}}`), `{}`, `[`, ``, "\xff"} {
		f.Add([]byte(s))
	}
	v := NewValidator()
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Delivery
		p := Decode(text, &d)
		if p == nil {
			p = v.Check(&d)
		}
		if p != nil {
			if p.Status != 400 && p.Status != 422 || len(p.Errors) == 0 || p.Type == "" || p.Detail == "" {
				t.Fatalf("%q: %+v", text, p)
			}
			for _, e := range p.Errors {
				if e.Pointer != "" && e.Pointer[0] != '/' || e.Detail == "" {
					t.Fatalf("%q: %+v", text, e)
				}
			}
			return
		}
		if len(d.Data.Items) > MaxRequests {
			t.Fatalf("%d requests were taken", len(d.Data.Items))
		}
		for _, r := range d.Data.Items {
			if r.Account.Check() != nil || CheckText(r.Description, 4096, true) != nil || CheckText(r.Reference, 256, false) != nil {
				t.Fatalf("%q was taken", text)
			}
		}
		var again Delivery
		if p := Decode([]byte(encode(t, d)), &again); p != nil || encode(t, again) != encode(t, d) {
			t.Fatalf("%q comes back as %s, %v", text, encode(t, again), p)
		}
	})
}
