package config

import (
	"reflect"
	"slices"
	"strings"
)

// field is one key of a struct and where its value goes.
type field struct {
	key   string
	index []int
	file  bool // a path, which is relative to the configuration file
}

// fieldsOf lists the keys of a struct type: the names in the yaml tags. A field without a tag, or with the name "-", is
// no key.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && name != "" && name != "-" {
			out = append(out, field{name, f.Index, f.Tag.Get("path") == "file"})
		}
	}
	return out
}

func find(fs []field, key string) (field, bool) {
	i := slices.IndexFunc(fs, func(f field) bool { return f.key == key })
	if i < 0 {
		return field{}, false
	}
	return fs[i], true
}

// advise says what to write instead of an unknown key: the nearest one if it looks like a slip, the place below one of the
// keys where it belongs, or else all there are.
func advise(key string, known []field, in reflect.Type) string {
	if len(known) == 0 {
		return "nothing can be set here yet, so remove it"
	}
	best, distance := "", 3
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
		if n := editDistance(strings.ToLower(key), f.key); n < distance && n < len(f.key) {
			best, distance = f.key, n
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	for _, f := range known {
		if below := in.FieldByIndex(f.index).Type; below.Kind() == reflect.Struct {
			if _, ok := find(fieldsOf(below), key); ok {
				return "it belongs under " + f.key + ":"
			}
		}
	}
	return "the keys here are " + strings.Join(names, ", ")
}

// Nearest gives the word of a list that looks like a slip for another, or nothing.
func Nearest(word string, list []string) string {
	for _, w := range list {
		if editDistance(strings.ToLower(word), w) < 3 && word != "" {
			return w
		}
	}
	return ""
}

// editDistance counts the letters to insert, remove or replace between two words (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
