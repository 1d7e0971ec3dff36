package format

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/resetd/resetd/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shownRequest is a request as a golden file shows it.
type shownRequest struct {
	Name    string              `json:"name"`
	Method  string              `json:"method"`
	Address string              `json:"address"`
	Header  map[string][]string `json:"header"`
	Body    json.RawMessage     `json:"body,omitempty"`
}

func TestEveryPresetMakesExactlyTheRequestsOfItsSample(t *testing.T) {
	all := examples()
	for _, name := range names() {
		g, ok := all[name]
		if !ok {
			t.Errorf("%s: there is no example of it", name)
			continue
		}
		e := sampleEvent()
		e.Task.Request.Reference = g.reference
		var out []shownRequest
		for _, r := range requests(t, mustNew(t, name, g), e, g.answers) {
			out = append(out, shownRequest{r.Name, r.Method, r.Address, r.Header, r.Body})
		}
		var shown bytes.Buffer
		enc := json.NewEncoder(&shown)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(out); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "golden", name+".json")
		if *update {
			if err := os.WriteFile(file, shown.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(shown.Bytes(), want) {
			t.Errorf("%s: got\n%s", name, shown.Bytes())
		}
		if bytes.Contains(shown.Bytes(), []byte("sealed-password")) || bytes.Contains(shown.Bytes(), []byte("s3cret")) {
			t.Errorf("%s: a secret is in what is said", name)
		}
	}
}

// What a person must know of a receiver has to be there, and every form must be one that can be read.
func TestEveryPresetTellsWhatItIs(t *testing.T) {
	infos, err := Formats()
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != len(names())+3 {
		t.Errorf("%d formats are listed", len(infos))
	}
	for _, i := range infos {
		if i.Title == "" {
			t.Errorf("%s has no title", i.Name)
		}
		if !slices.Contains(names(), i.Name) {
			continue
		}
		if i.Evidence != "documented" && i.Evidence != "general" || len(i.Setup) == 0 || len(i.Auth) == 0 || len(i.Template.Requests) == 0 {
			t.Errorf("%s does not say its evidence, its steps, its log-in or its requests", i.Name)
		}
		if (i.Auth[0].Scheme == "url") == (i.URL != "") {
			t.Errorf("%s: URL is %q, and the usual log-in %s", i.Name, i.URL, i.Auth[0].Scheme)
		}
		if (i.Template.Reference == "") != (i.Template.ReferenceIs == "") {
			t.Errorf("%s needs a reference and does not say which, or the other way round", i.Name)
		}
		for name, p := range i.Params {
			if _, err := regexp.Compile(p.Form); err != nil || p.About == "" {
				t.Errorf("%s: param %s: %v", i.Name, name, err)
			}
			if p.Default != "" && !whole(p.Form).MatchString(p.Default) {
				t.Errorf("%s: the default of %s has not its form", i.Name, name)
			}
		}
	}
}

// The reference must be one that means a ticket of this receiver and of no other kind: a number that some other tool
// counted would tell strangers' tickets of a reset.
func TestAReferenceOfAnotherFormIsToldToNobody(t *testing.T) {
	for name, refs := range map[string][]string{
		"jira":       {"", "4711", "SEC-0", "SEC-", "SEC-1/../2", "SEC-1?x", "SEC 1", "INC0012345", "SEC-1\nSEC-2", "ＳＥＣ-1", "SEC-1 "},
		"servicenow": {"", "4711", "INC", "INC0012345^ORsys_id!=1", "inc0012345", "INC0012345&x=1", "46D44A40A9FE198101A2A6A1B2CE5F3A"},
		"thehive":    {"", "~", "~abc", "0", "../case/1", "~1/comment"},
		"pagerduty":  {"", "4711", "pt4khlk", "PT4/KHLK", "PT4K-LK"},
		"zendesk":    {"", "0", "35436.json", "#35436", "35436/../1"},
		"xsoar":      {"", "!close", "4711 ", "INCIDENT-"},
		"xsoar-6":    {"", "INCIDENT-1", "4711\n"},
	} {
		g := examples()[name]
		f := mustNew(t, name, g)
		e := sampleEvent()
		for _, r := range refs {
			e.Task.Request.Reference = r
			if _, err := f.Talk(e); err == nil {
				t.Errorf("%s: %q was taken", name, r)
			}
		}
		e.Task.Request.Reference = g.reference
		if _, err := f.Talk(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARequestIsMadeForTheStatusesItIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		status schemas.Status
		done   []string
		want   []string
	}{
		"with its transition":        {schemas.StatusSuccessful, nil, []string{"comment", "transition"}},
		"a status without one":       {schemas.StatusUnsuccessful, nil, []string{"comment"}},
		"not final":                  {schemas.StatusInProgress, nil, []string{"comment"}},
		"the comment is there":       {schemas.StatusSuccessful, []string{"comment"}, []string{"transition"}},
		"all of it is there":         {schemas.StatusSuccessful, []string{"comment", "transition"}, nil},
		"a name of an older version": {schemas.StatusUnsuccessful, []string{"gone"}, []string{"comment"}},
	} {
		f := mustNew(t, "jira", examples()["jira"])
		e := sampleEvent()
		e.Task.Status = c.status
		talk, err := f.Talk(e)
		if err != nil {
			t.Fatal(err)
		}
		if got := talk.Left(c.done); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
	f := mustNew(t, "servicenow", examples()["servicenow"])
	e := sampleEvent()
	e.Task.Request.Reference = "INC0012345"
	talk, err := f.Talk(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := talk.Left([]string{"note"}); len(got) != 0 {
		t.Errorf("a question was left with nothing behind it: %v", got)
	}
	if got := talk.Left([]string{"find"}); !slices.Equal(got, []string{"find", "note"}) {
		t.Errorf("a question was not asked again: %v", got)
	}
}
