package mapping

import (
	"strconv"
	"strings"
)

// number reads the text of a JSON number: int64 or uint64 if it is an integer that fits, float64 if that is exactly the
// number, else the text itself. An identifier that is a number must not become its neighbour.
func number(text string) any {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return n
		}
		return text
	}
	const longest = 32 // a double has at most 17 significant digits; behind more of them there is hardly one that is exact
	if len(text) > longest {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	digits, exponent := decimal(text)
	if d, e := decimal(strconv.FormatFloat(f, 'e', -1, 64)); d != digits || e != exponent {
		return text
	}
	return f
}

// decimal splits the text of a number into its significant digits, with the sign, and the exponent of ten that belongs
// behind the last of them. Two texts of the same number give the same. The exponent must fit an int, which it does in
// any text that ParseFloat took for finite.
func decimal(text string) (digits string, exponent int) {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent, _ = strconv.Atoi(strings.TrimPrefix(text[i+1:], "+"))
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	digits = strings.TrimLeft(whole+fraction, "0")
	for strings.HasSuffix(digits, "0") {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if digits == "" {
		return sign + "0", 0
	}
	return sign + digits, exponent
}

// text gives a scalar as text, numbers exactly; false if it is none.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
