package sender

import (
	"reflect"
	"slices"
)

// Over lays what a configuration says over a preset: a value that is set counts, a list replaces the preset's list, and
// rules to ignore and to refuse are added before the preset's. Neither of the two is changed.
func (p Profile) Over(preset Profile) Profile {
	out := preset
	overlay(reflect.ValueOf(&out).Elem(), reflect.ValueOf(p))
	if p.Verify.Scheme != "" && p.Verify.Scheme != preset.Verify.Scheme {
		out.Verify = p.Verify // what the preset says of another scheme means nothing here
	}
	if mine, its := &p.Verify.HMAC, &out.Verify.HMAC; mine.ContentTemplate != "" {
		// What is signed decides which time and id there are; those of another text mean nothing.
		its.TimestampHeader, its.TimestampPick, its.TimestampFormat = mine.TimestampHeader, mine.TimestampPick, mine.TimestampFormat
		its.IDHeader, its.KeyTemplate = mine.IDHeader, mine.KeyTemplate
	}
	out.IgnoreWhen = slices.Concat(p.IgnoreWhen, preset.IgnoreWhen)
	out.RefuseWhen = slices.Concat(p.RefuseWhen, preset.RefuseWhen)
	out.Map.SkipWhen = slices.Concat(p.Map.SkipWhen, preset.Map.SkipWhen)
	return out
}

// overlay copies what is set in from to the same place in to. Structs whose fields nobody sees, such as a secret or a
// time, are values of their own.
func overlay(to, from reflect.Value) {
	if from.Kind() == reflect.Struct && from.NumField() > 0 && from.Type().Field(0).IsExported() {
		for i := range from.NumField() {
			overlay(to.Field(i), from.Field(i))
		}
		return
	}
	if !from.IsZero() {
		to.Set(from)
	}
}
