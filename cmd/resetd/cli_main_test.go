package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWithoutACommandTheHelpIsShown(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"tasks"}, {"tasks", "--help"}} {
		r := resetd("", args...)
		r.want(t, exitOK, "Usage:", "")
	}
	if out := resetd("").out; !strings.Contains(out, "init") || !strings.Contains(out, "send") || !strings.Contains(out, "completion") {
		t.Fatalf("not every command is listed:\n%s", out)
	}
}

func TestWrongUseEndsWithStatus2AndNamesTheHelp(t *testing.T) {
	for line, want := range map[string]string{
		"sned":                           "did you mean send?",
		"tasks lst":                      "did you mean list?",
		"--nope":                         "unknown flag",
		"send --nope":                    "See: resetd send --help",
		"version now":                    `"now" is one word too many`,
		"send":                           "--source is missing",
		"send --source soar":             "--account is missing",
		"send --source SOAR --account a": "--source: a name has",
		"send --source soar --account @": "one @ with text on both sides",
		"send --source soar --account a --mode hard":        "mode: use one of: randomize expire recovery",
		"send --source soar --account a --system A!":        "systems/0",
		"send --source soar --account a --wait=x":           "--wait must be",
		"send --source soar --account a --wait 2m":          "--wait=2m",
		"send --source soar --account a jdoe":               `"jdoe" is one word too many`,
		"send --source soar --account a --wait=10ms":        "--wait must be",
		"send --source soar --account a":                    "give --key file:PATH, or -c",
		"send --source soar --account a --url localhost":    "--url must look like",
		"send --source soar --account a --url ftp://a":      "--url must look like",
		"send --source soar --account a --url http://u:p@a": "--url must look like",
		"send --source soar --account a -c missing.yaml":    "no configuration file missing.yaml",
		"sign":                           "--key is missing",
		"sign --key file:missing.key":    "missing.key; make it",
		"sign --key ${NOT_SET_ANYWHERE}": "NOT_SET_ANYWHERE is not set",
		"tasks list":                     "needs an API token with the role viewer",
		"tasks list --limit 0":           "--limit must be 1",
		"tasks list --from yesterday":    "--from: this is no time",
		"tasks retry":                    "give the id of one task",
		"tasks show a b":                 "give the id of one task",
		"tasks cancel x":                 "role operator",
		"init here":                      `"here" is one word too many`,
	} {
		t.Setenv(tokenEnv, "")
		r := resetd("", strings.Fields(line)...)
		if r.status != exitUsage || r.out != "" || !strings.Contains(r.err, want) || !strings.HasPrefix(r.err, "resetd: ") || strings.Contains(r.err, "Usage:") {
			t.Errorf("%s: status %d\n%s%s", line, r.status, r.out, r.err)
		}
	}
}

func TestVersionTellsWhatThisBinaryIs(t *testing.T) {
	r := resetd("", "version")
	if flag := resetd("", "--version"); flag != r {
		t.Errorf("--version says\n%s%s", flag.out, flag.err)
	}
	r.want(t, exitOK, "resetd ", "")
	var b build
	if err := json.Unmarshal([]byte(resetd("", "version", "--json").out), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") || !strings.Contains(r.out, b.Go) {
		t.Fatalf("%+v, %v", b, err)
	}
}

func TestCompletionIsThereForEveryShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := resetd("", "completion", shell); r.status != exitOK || !strings.Contains(r.out, "resetd") || r.err != "" {
			t.Errorf("%s: %d %s", shell, r.status, r.err)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, c := range commands() {
		for _, one := range append(c.Commands(), c) {
			if one.Short == "" || one.Long == "" && one.Example == "" && one.HasFlags() && one.Name() != "version" && one.Name() != "show" && one.Name() != "serve" {
				t.Errorf("%s has no help", one.CommandPath())
			}
			if first, _, _ := strings.Cut(one.Short, " "); strings.HasSuffix(first, "s") {
				t.Errorf("%s: a summary is an imperative, not %q", one.CommandPath(), first)
			}
			if strings.HasSuffix(one.Short, ".") {
				t.Errorf("%s: a summary ends without a full stop", one.CommandPath())
			}
		}
	}
}
