package schemas

import "testing"

func TestProbe(t *testing.T) {
	v := NewValidator()
	for _, b := range []string{
		`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":{"account":"jdoe@example.com"}}`,
		`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":[{"account":"a"},{"account":"","systems":["X!"],"description":"a\u202eb","callback":{"url":"nope"}}]}`,
		`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":{"systems":["x"]}}`,
		`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":{"account":"a","account":"b"}}`,
		`{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":[{"account":"a"},{"accont":"b"}]}`,
		`{"type":"password_reset.requested","timestamp":"x","data":{"account":"a\\b\\c"}}`,
		`{"type":"password_reset.requested"`, `{"type":"password_reset.requested"} x`, `[]`, ``,
	} {
		var d Delivery
		p := Decode([]byte(b), &d)
		if p == nil {
			p = v.Check(&d)
		}
		if p == nil {
			t.Log("ok", d)
			continue
		}
		t.Logf("%+v", *p)
	}
}
