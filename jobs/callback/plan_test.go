package callback

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

func TestPlanComparesPrefixesPartByPart(t *testing.T) {
	for _, c := range []struct {
		allow, url string
		ok         bool
	}{
		{"https://soar.example.com/", "https://soar.example.com/hooks/resetd", true},
		{"https://soar.example.com", "https://soar.example.com/hooks?x=1&y=/../", true},
		{"https://soar.example.com", "https://soar.example.com", true},
		{"https://soar.example.com/", "https://SOAR.Example.COM/x", true},
		{"https://SOAR.example.com:443/", "HTTPS://soar.example.com/x", true},
		{"https://soar.example.com/", "https://soar.example.com:443/x", true},
		{"https://soar.example.com:8443/", "https://soar.example.com:8443/x", true},
		{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/x", true},
		{"https://[2001:0DB8::0:1]/", "https://[2001:db8::1]:443/x", true},
		{"https://soar.example.com/hooks", "https://soar.example.com/hooks", true},
		{"https://soar.example.com/hooks", "https://soar.example.com/hooks/", true},
		{"https://soar.example.com/hooks", "https://soar.example.com/hooks/a/b", true},
		{"https://soar.example.com/hooks/", "https://soar.example.com/hooks/a", true},
		{"https://soar.example.com/a%20b", "https://soar.example.com/%61%20b/c", true},
		{"http://127.0.0.1:9000/", "http://127.0.0.1:9000/x", true},

		{"https://soar.example.com/hooks", "https://soar.example.com/hooksecret", false},
		{"https://soar.example.com/hooks/", "https://soar.example.com/hooks", false},
		{"https://soar.example.com/hooks", "https://soar.example.com/Hooks/a", false},
		{"https://soar.example.com/hooks", "https://soar.example.com/", false},
		{"https://soar.example.com/", "https://soar.example.com:8443/", false},
		{"https://soar.example.com:8443/", "https://soar.example.com/", false},
		{"https://soar.example.com/", "http://soar.example.com/", false},
		{"http://soar.example.com/", "https://soar.example.com/", false},
		{"https://soar.example.com/", "http://soar.example.com:443/", false},
		{"https://soar.example.com/", "https://soar.example.com.evil.example/", false},
		{"https://soar.example.com/", "https://evil-soar.example.com/", false},
		{"https://soar.example.com/", "https://sub.soar.example.com/", false},
		{"https://soar.example.com/", "https://xn--soar-example.com/", false},
	} {
		_, err := planner(t, c.allow).Plan(source, &schemas.CallbackRequest{URL: c.url}, nil)
		if (err == nil) != c.ok {
			t.Errorf("%s under %s: got error %v", c.url, c.allow, err)
		}
	}
}

func TestPlanRefusesWhatCanBeReadInTwoWays(t *testing.T) {
	const prefix = "https://soar.example.com/hooks/"
	p := planner(t, prefix, "https://127.0.0.1/")
	for _, url := range []string{
		"https://soar.example.com/hooks/../admin", "https://soar.example.com/hooks/..", "https://soar.example.com/hooks/./x",
		"https://soar.example.com/hooks/%2e%2e/admin", "https://soar.example.com/hooks/.%2E/admin", "https://soar.example.com/hooks/..;/admin",
		"https://soar.example.com/hooks/..;a=b/admin", "https://soar.example.com/hooks/..%3b/admin", "https://soar.example.com/hooks//admin",
		"https://soar.example.com/hooks/%2fadmin", "https://soar.example.com/hooks/a%2F..%2Fb", "https://soar.example.com/hooks/%5c..%5cadmin",
		"https://soar.example.com/hooks/%252e%252e/admin", "https://soar.example.com/hooks/%00", "https://soar.example.com/hooks/%0d%0aX-Y:z",
		`https://soar.example.com\@evil.example/hooks/`, `https://soar.example.com/hooks/..\admin`, `https:\\soar.example.com\hooks\`,
		"https://soar.example.com@evil.example/hooks/", "https://user:pw@soar.example.com/hooks/", "https://@soar.example.com/hooks/",
		"https://evil.example#@soar.example.com/hooks/", "https://soar.example.com/hooks/#", "https://soar.example.com/hooks/#x",
		"https://soar.example.com/hooks/\r\nX: y", "https://soar.example.com/hooks/ x", "\thttps://soar.example.com/hooks/", "https://soar.example.com/hooks/\x7f",
		"https://soar.example.com./hooks/", "https://soar.example.com:/hooks/", "https://soar.example.com:0443/hooks/", "https://soar.example.com:0/hooks/",
		"https://soar.example.com:65979/hooks/", "https://soar.example.com:+443/hooks/", "https://soar.example.com:443:443/hooks/",
		"https:soar.example.com/hooks/", "https:/soar.example.com/hooks/", "https:///soar.example.com/hooks/", "//soar.example.com/hooks/", "/hooks/", "",
		"ftp://soar.example.com/hooks/", "file:///etc/passwd", "javascript:alert(1)", "gopher://soar.example.com/hooks/", "unix://soar.example.com/hooks/",
		"https://soar%2eexample.com/hooks/", "https://soar.example%00.com/hooks/", "https://soar。example.com/hooks/", "https://ſoar.example.com/hooks/",
		"https://bücher.example/", "https://soar..example.com/", "https://[::1%25lo]/", "https://[::1]x/", "https://::1/",
		"https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.01/",
		"https://127.0.0.1.1/", "https://0/", "https://0x/", "https://1.2.3.4.5.6/", "https://127.0.0.1./", "https://soar.example.0x7f/",
		"https://soar.example.com/hooks/" + strings.Repeat("a", maxURL),
	} {
		if url == "" {
			continue // no URL is no wish
		}
		plan, err := p.Plan(source, &schemas.CallbackRequest{URL: url}, nil)
		if err == nil {
			t.Errorf("%q was taken: %+v", url, plan)
			continue
		}
		if !errors.Is(err, schemas.ErrForbidden) {
			t.Errorf("%q: the error does not wrap ErrForbidden: %v", url, err)
		}
		if _, err := parseTarget(url); err == nil {
			t.Errorf("%q is refused by the list alone; another list would take it", url)
		}
		t.Logf("%q: %v", url[:min(len(url), 60)], err)
	}
}

func TestPlanSaysWhichPrefixesAreAllowedAndNotWhatWasAskedFor(t *testing.T) {
	p := planner(t, "https://soar.example.com/hooks/", "https://backup.example.com/")
	_, err := p.Plan(source, &schemas.CallbackRequest{URL: "https://evil.example/path-token?query-token"}, nil)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"https://soar.example.com/hooks/", "https://backup.example.com/", "https://evil.example"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "token") {
		t.Errorf("the error repeats path or query: %v", err)
	}
}

func TestPlanTakesTheSourcesOwnURLWhenTheRequestNamesNone(t *testing.T) {
	const own = "https://soar.example.com/hooks/own?tenant=7"
	o := lab("")
	o.Sources[source] = Source{Keys: []signature.Key{signature.GenerateSymmetric()}, URL: own}
	o.Sources["deaf"] = Source{}
	p := mustNew(t, o)
	for name, c := range map[string]struct {
		source   string
		req      *schemas.CallbackRequest
		defaults []string
		want     *schemas.CallbackPlan
	}{
		"nothing asked":           {source, nil, nil, &schemas.CallbackPlan{URL: own, Events: []string{"final"}}},
		"events by configuration": {source, nil, []string{"queued", "final"}, &schemas.CallbackPlan{URL: own, Events: []string{"queued", "final"}}},
		"events by the request":   {source, &schemas.CallbackRequest{Events: []string{"rejected"}}, []string{"final"}, &schemas.CallbackPlan{URL: own, Events: []string{"rejected"}}},
		"the own URL asked for":   {source, &schemas.CallbackRequest{URL: own}, nil, &schemas.CallbackPlan{URL: own, Events: []string{"final"}}},
		"no URL anywhere":         {"deaf", &schemas.CallbackRequest{Events: []string{"final"}}, []string{"final"}, nil},
		"a source without any":    {"unheard-of", nil, []string{"final"}, nil},
	} {
		got, err := p.Plan(c.source, c.req, c.defaults)
		if err != nil || (got == nil) != (c.want == nil) || got != nil && (got.URL != c.want.URL || !slices.Equal(got.Events, c.want.Events)) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for _, asked := range []struct{ source, url string }{
		{source, "https://soar.example.com/hooks/own"}, {source, own + "8"}, {source, "https://soar.example.com/hooks/own/x?tenant=7"},
		{"deaf", own}, {"unheard-of", own},
	} {
		if plan, err := p.Plan(asked.source, &schemas.CallbackRequest{URL: asked.url}, nil); !errors.Is(err, schemas.ErrForbidden) {
			t.Errorf("source %s asked for %s and got %+v, %v", asked.source, asked.url, plan, err)
		}
	}
}

func TestPlanKeepsNothingOfItsCallers(t *testing.T) {
	events, defaults := []string{"queued"}, []string{"final"}
	p := planner(t, "https://soar.example.com/")
	one, _ := p.Plan(source, &schemas.CallbackRequest{URL: "https://soar.example.com/", Events: events}, defaults)
	two, _ := p.Plan(source, &schemas.CallbackRequest{URL: "https://soar.example.com/"}, defaults)
	events[0], defaults[0] = "changed", "changed"
	if one.Events[0] != "queued" || two.Events[0] != "final" {
		t.Errorf("plans share memory with their callers: %v %v", one, two)
	}
}

func FuzzPlanStaysUnderThePrefix(f *testing.F) {
	for _, s := range []string{"https://soar.example.com/hooks/a", "https://soar.example.com/hooks/%2e%2e/", "https://soar.example.com:443/hooks/a;b/c?d"} {
		f.Add(s)
	}
	p, err := New(lab("", "https://soar.example.com/hooks/"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, url string) {
		plan, err := p.Plan(source, &schemas.CallbackRequest{URL: url}, nil)
		if err != nil || plan == nil {
			return
		}
		// An independent reading: after the part that must be there literally, nothing may climb out of it.
		rest := url[len("https://"):]
		host, path, _ := strings.Cut(rest, "/")
		path, _, _ = strings.Cut(path, "?")
		if h := strings.ToLower(host); h != "soar.example.com" && h != "soar.example.com:443" {
			t.Fatalf("%q was taken for another host", url)
		}
		if strings.Contains(path, "..") && (strings.Contains(path, "/../") || strings.HasSuffix(path, "/..") || strings.Contains(path, "/..;")) {
			t.Fatalf("%q climbs out", url)
		}
	})
}

func planner(t *testing.T, allow ...string) *Poster {
	t.Helper()
	return mustNew(t, lab("", allow...))
}
