package sender

import (
	"maps"
	"reflect"
	"slices"
)

// Over lays what a configuration says over a preset: a value that is set counts, a list replaces the preset's list, and
// rules to ignore and to refuse are added before the preset's. What proves a sender never gets less by it than is written:
// below verify an empty list says nothing, and claims are added to the preset's. Neither of the two is changed.
func (p Profile) Over(preset Profile) Profile {
	out := preset
	overlay(reflect.ValueOf(&out).Elem(), reflect.ValueOf(p))
	out.Verify = p.Verify.over(preset.Verify)
	out.IgnoreWhen = slices.Concat(p.IgnoreWhen, preset.IgnoreWhen)
	out.RefuseWhen = slices.Concat(p.RefuseWhen, preset.RefuseWhen)
	out.Map.SkipWhen = slices.Concat(p.Map.SkipWhen, preset.Map.SkipWhen)
	return out
}

// over is Over for the proof. What the preset says of another scheme means nothing here, but for the networks, as where
// deliveries come from does not depend on how they are proved.
func (v Verify) over(preset Verify) Verify {
	v = v.withoutEmpty()
	out := preset
	if v.Scheme != "" && v.Scheme != preset.Scheme {
		out = Verify{AllowFrom: preset.AllowFrom}
	}
	overlay(reflect.ValueOf(&out).Elem(), reflect.ValueOf(v))
	out.HMAC = v.HMAC.besides(out.HMAC)
	if v.Secret.In != "" && v.Secret.In != preset.Secret.In {
		out.Secret = v.Secret // its header and user belong to another place
	}
	return out
}

// withoutEmpty leaves out the lists in which nothing stands. One that was never filled must not take the preset's away.
func (v Verify) withoutEmpty() Verify {
	for _, list := range []*[]string{&v.AllowFrom, &v.HMAC.RequiredHeaders, &v.Certificate.Names, &v.Certificate.SPKI, &v.Certificate.ProxyFrom,
		&v.Token.Audience, &v.Token.Algorithms, &v.Token.Subjects} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return v
}

// besides takes from the result of an overlay what does not go with what is written: of two ways to find the signature or
// its time the preset's, and, for another text that is signed, its time and id.
func (mine HMAC) besides(its HMAC) HMAC {
	if mine.ContentTemplate != "" {
		its.TimestampHeader, its.TimestampPick, its.TimestampFormat = mine.TimestampHeader, mine.TimestampPick, mine.TimestampFormat
		its.IDHeader, its.KeyTemplate = mine.IDHeader, mine.KeyTemplate
	}
	if mine.Pick != "" {
		its.SignaturePrefix, its.SignatureList = mine.SignaturePrefix, mine.SignatureList
	} else if mine.SignaturePrefix != "" || mine.SignatureList != "" {
		its.Pick = ""
	}
	if mine.TimestampPick != "" {
		its.TimestampHeader = mine.TimestampHeader
	} else if mine.TimestampHeader != "" {
		its.TimestampPick = ""
	}
	return its
}

// overlay copies what is set in from to the same place in to; of tables, the entries. Structs whose fields nobody sees, such
// as a secret or a time, are values of their own.
func overlay(to, from reflect.Value) {
	if from.Kind() == reflect.Struct && from.NumField() > 0 && from.Type().Field(0).IsExported() {
		for i := range from.NumField() {
			overlay(to.Field(i), from.Field(i))
		}
		return
	}
	if table, ok := from.Interface().(map[string]string); ok && len(table) > 0 {
		all := maps.Clone(to.Interface().(map[string]string))
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, table)
		to.Set(reflect.ValueOf(all))
		return
	}
	if !from.IsZero() && (from.Kind() != reflect.Map || from.Len() > 0) {
		to.Set(from)
	}
}
