package alike

import "testing"

func TestNamesAreAlikeInCaseAndInNothingElse(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"jdoe", "JDoe"}: true, {"žluťoučký", "ŽLUŤOUČKÝ"}: true, {"", ""}: true,
		{"jose", "josé"}: false, {"kate", "\u212aate"}: false, {"mike", "mıke"}: false, {"sam", "\u017fam"}: false,
		{"admin", "ａdmin"}: false, {"jos\u00e9", "jose\u0301"}: false, {"jdoe", "jdoe "}: false, {"a", "b"}: false,
	} {
		if got := Names(pair[0], pair[1]); got != want {
			t.Errorf("%+q and %+q: alike %t, want %t", pair[0], pair[1], got, want)
		}
	}
}
