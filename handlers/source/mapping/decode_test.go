package mapping_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/mapping"
)

func TestNumbersAreExact(t *testing.T) {
	for text, want := range map[string]any{
		"0": int64(0), "-0": int64(0), "42": int64(42), "-42": int64(-42),
		"9007199254740993":                 int64(9007199254740993), // 2^53+1
		"9223372036854775807":              int64(9223372036854775807),
		"-9223372036854775808":             int64(-9223372036854775808),
		"9223372036854775808":              uint64(9223372036854775808),
		"18446744073709551615":             uint64(18446744073709551615),
		"18446744073709551616":             "18446744073709551616",
		"-9223372036854775809":             "-9223372036854775809",
		"123456789012345678901234567890":   "123456789012345678901234567890",
		"1.5":                              1.5,
		"0.1":                              0.1,
		"1.10":                             1.1,
		"-2.50":                            -2.5,
		"1.0":                              1.0,
		"1e3":                              1000.0,
		"1E+3":                             1000.0,
		"1e-7":                             1e-7,
		"0.0":                              0.0,
		"0e5":                              0.0,
		"5e-324":                           5e-324,
		"1e400":                            "1e400",
		"1e400000000":                      "1e400000000",
		"1e-400000000":                     "1e-400000000",
		"1e-400":                           "1e-400",
		"0.1000000000000000055":            "0.1000000000000000055",
		"9007199254740993.0":               "9007199254740993.0",
		"1795849200.123456789":             "1795849200.123456789",
		"1795849200.123":                   1795849200.123,
		"1" + strings.Repeat("0", 300):     "1" + strings.Repeat("0", 300),
		"1." + strings.Repeat("0", 300):    "1." + strings.Repeat("0", 300),
		"0." + strings.Repeat("1", 250000): "0." + strings.Repeat("1", 250000),
	} {
		got, p := mapping.Decode([]byte(text))
		if p != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.40s: %T %.40v, want %T %.40v; %v", text, got, got, want, want, p)
		}
	}
}

// What is read and is no text is what encoding/json reads.
func TestDecodeReadsWhatTheStandardLibraryReads(t *testing.T) {
	const text = ` {"a":[true,false,null,"\u00e9\n\ud83d\ude00",{"b":{}}],"":[[]],"A":1.25} `
	got, p := mapping.Decode([]byte(text))
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil || p != nil {
		t.Fatal(err, p)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n%v", got, want)
	}
}

func TestWhatIsNoStrictJSONIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                           " the JSON ends too early",
		" ":                          " the JSON ends too early",
		`{"a":1,"a":2}`:              "/a this key occurs twice",
		`{"x":[{"a":1,"\u0061":2}]}`: "/x/0/a this key occurs twice",
		`{"a":1`:                     "ends too early",
		`{"a":1}}`:                   "not valid JSON",
		`{"a":1} {}`:                 "not valid JSON",
		`{"a":01}`:                   "not valid JSON",
		`{"a":NaN}`:                  "not valid JSON",
		`{'a':1}`:                    "not valid JSON",
		`{"a":1,}`:                   "not valid JSON",
		`[1,]`:                       "not valid JSON",
		"\"\xff\"":                   "not valid JSON",
		`"\ud800"`:                   "not valid JSON",
		"\ufeff{}":                   "not valid JSON",
		"<xml/>":                     "not valid JSON",
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: "deeper than 64",
		fill(20_001, "{}"): "more than 20000 objects",
	} {
		v, p := mapping.Decode([]byte(text))
		if p == nil || p.Status != 400 || p.Type != "urn:resetd:problem:bad_json" || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Pointer+" "+p.Errors[0].Detail, want) {
			t.Errorf("%.40s: %.40v %+v", text, v, p)
		}
	}
	if _, p := mapping.Decode([]byte(`"` + strings.Repeat("a", 256<<10) + `"`)); p == nil || p.Status != 413 {
		t.Errorf("%+v", p)
	}
	if _, p := mapping.Decode([]byte(strings.Repeat("[", 64) + strings.Repeat("]", 64))); p != nil {
		t.Errorf("64 levels are refused: %+v", p)
	}
}
