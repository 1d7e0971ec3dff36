package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// sendOptions is what the flags of `resetd send` say.
type sendOptions struct {
	access
	source, key, id                    string
	accounts, systems                  []string
	mode, description, reference, wait string
	skip                               string
	keepSessions, dryRun, json         bool
	named                              string // the address that --url gave, if any
}

// sendCommand makes `resetd send`, which is a sender like any other: it uses the public hook and no way round it.
func sendCommand() *cobra.Command {
	var o sendOptions
	c := &cobra.Command{
		Use:   "send --source NAME --account ACCOUNT",
		Short: "Send a signed webhook that asks for a password reset",
		Long: `Builds the native webhook body, signs it and posts it to /v1/hooks/NAME. A resetd that is just starting or overloaded
is tried again a few times with the same webhook-id, so the request never counts twice.

Exit status: 0 successful (without --wait: accepted), 1 unsuccessful or only in part, 2 wrong use, 3 refused or not
reached, 4 --wait ended before the task did.`,
		Example: `  resetd send -c resetd.yaml --source soar --account jdoe@example.com --wait
  resetd send --key file:soar.key --source soar --account 'CORP\jdoe' --account asmith --reference INC0012345
  resetd send --source soar --account dn:uid=jdoe,ou=people,dc=example,dc=com --dry-run`,
		Args: func(c *cobra.Command, args []string) error {
			if o.wait != "" && len(args) == 1 {
				return usagef(c, "a time to wait is joined by =, as in --wait=%s", plain(args[0]))
			}
			return noArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	f := c.Flags()
	f.StringVar(&o.source, "source", "", "the name of the source to send as")
	f.StringArrayVar(&o.accounts, "account", nil, "the account: login, e-mail, DOMAIN\\name, SID or object id, or TYPE:VALUE with TYPE one of\n"+
		strings.Join(accountTypeNames(), ", ")+"; may be given several times")
	f.StringArrayVar(&o.systems, "system", nil, "a system to act on; may be given several times (default: all that the source may)")
	f.StringVar(&o.mode, "mode", "", "randomize, expire or recovery (default: randomize)")
	f.BoolVar(&o.keepSessions, "keep-sessions", false, "do not end the sessions of the account")
	f.StringVar(&o.description, "description", "", "why, for the history")
	f.StringVar(&o.reference, "reference", "", "number of the case or ticket")
	f.BoolVar(&o.dryRun, "dry-run", false, "look up and check everything, change nothing")
	f.StringVar(&o.skip, "skip-if-changed-since", "", "leave a password alone that was set at this time or later: 2026-11-22T07:00:00Z, 2026-11-22, or 2h ago;\n"+
		"sessions are ended all the same")
	f.StringVar(&o.wait, "wait", "", "wait for the end of every task, 30s or the time given as --wait=2m; needs an API token")
	f.Lookup("wait").NoOptDefVal = "30s"
	f.StringVar(&o.id, "id", "", "the webhook-id (default: a new one); the same id again is the same request")
	f.StringVar(&o.key, "key", "", "the source's key, as file:PATH or '${ENV}' (default: the one in the configuration)")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	o.flags(c)
	return c
}

// accepted is what a hook answers.
type accepted struct {
	Tasks []struct {
		ID        string         `json:"id"`
		Status    schemas.Status `json:"status"`
		StatusURL string         `json:"status_url"`
	} `json:"tasks"`
}

// run checks everything that can be checked here before anything leaves the machine: the request, the time to wait, the
// configuration, the key and the token.
func (o *sendOptions) run(c *cobra.Command) error {
	body, err := o.body(c, time.Now())
	if err != nil {
		return err
	}
	wait, err := o.waitTime(c)
	if err != nil {
		return err
	}
	o.others, o.named = o.key != "", o.url
	if err := o.load(c); err != nil {
		return err
	}
	d := delivery{source: o.source, id: o.id, body: body, notes: c.ErrOrStderr(), pause: pause}
	if d.key, err = o.sourceKey(c); err != nil {
		return err
	}
	if d.id == "" {
		d.id = newMessageID()
	}
	var watcher *client
	if wait > 0 { // a missing token must be told before anything is sent
		if watcher, err = o.client(c, "viewer"); err != nil {
			return err
		}
	}
	sender := newClient(o.url, schemas.Secret{})
	got, err := d.post(c.Context(), sender)
	if err != nil {
		return err
	}
	if got.status != http.StatusAccepted && got.status != http.StatusOK {
		return sender.refused(got)
	}
	var a accepted
	// One task for each account, in their order; anything else would be reported under a wrong name.
	if err := json.Unmarshal(got.body, &a); err != nil || len(a.Tasks) != len(o.accounts) {
		return sender.alien(got)
	}
	if wait == 0 {
		return o.report(c, got.body, a)
	}
	return o.follow(c, watcher, a, wait)
}

// body builds the native webhook body and checks it as resetd will, so that a slip is told without asking.
func (o *sendOptions) body(c *cobra.Command, now time.Time) ([]byte, error) {
	switch {
	case o.source == "":
		return nil, usagef(c, "--source is missing; name one of sources: in the configuration")
	case !schemas.NameForm.MatchString(o.source):
		return nil, usagef(c, "--source: a name has 1 to 63 of a–z, 0–9, - and _")
	case len(o.accounts) == 0:
		return nil, usagef(c, "--account is missing; give the account to reset, and the flag again for each further one")
	}
	d := schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: now.UTC().Truncate(time.Second),
		Data: schemas.Requests{Batch: len(o.accounts) > 1}}
	var skip time.Time
	if o.skip != "" {
		var err error
		if skip, err = since(o.skip, now); err != nil {
			return nil, usagef(c, "--skip-if-changed-since: %s", err)
		}
	}
	for _, text := range o.accounts {
		who, err := parseAccount(text)
		if err != nil {
			return nil, usagef(c, "--account %q: %s", plain(text), err)
		}
		r := schemas.Request{Account: who, Systems: o.systems, Mode: schemas.Mode(o.mode), Description: o.description,
			Reference: o.reference, DryRun: o.dryRun, SkipIfChangedSince: skip.UTC()}
		if o.keepSessions {
			r.RevokeSessions = new(bool)
		}
		d.Data.Items = append(d.Data.Items, r)
	}
	if p := schemas.NewValidator().Check(&d); p != nil {
		lines := make([]string, len(p.Errors))
		for i, f := range p.Errors {
			lines[i] = strings.TrimPrefix(f.Pointer, "/data/") + ": " + f.Detail
		}
		return nil, usagef(c, "the request is not valid: %s", strings.Join(lines, "; "))
	}
	return schemas.Encode(d)
}

// report prints what was accepted.
func (o *sendOptions) report(c *cobra.Command, body []byte, a accepted) error {
	if o.json {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s\n", body)
		return err
	}
	for i, t := range a.Tasks {
		fmt.Fprintf(c.OutOrStdout(), "%s %s for %s\n  %s\n", plain(t.ID), plain(string(t.Status)), plain(o.accounts[i]), plain(t.StatusURL))
	}
	return nil
}

// follow waits for the tasks and prints what became of them; its exit status is that of the worst.
func (o *sendOptions) follow(c *cobra.Command, watcher *client, a accepted, wait time.Duration) error {
	until := time.Now().Add(wait)
	var tasks []schemas.Task
	var open []string
	status := exitOK // the statuses are in the order of their gravity
	for _, t := range a.Tasks {
		task, err := watcher.await(c.Context(), t.ID, until)
		if err != nil {
			return fmt.Errorf("task %s was accepted, but: %w", plain(t.ID), err)
		}
		tasks = append(tasks, task)
		status = max(status, outcome(task))
		if !task.Status.Final() {
			open = append(open, "\n  "+o.showAgain(t.ID))
		}
	}
	if o.json {
		if err := printJSON(c.OutOrStdout(), schemas.TaskPage{Tasks: tasks}); err != nil {
			return err
		}
	} else {
		for i, t := range tasks {
			if i > 0 {
				fmt.Fprintln(c.OutOrStdout())
			}
			if err := taskDetails(c.OutOrStdout(), t); err != nil {
				return err
			}
		}
	}
	switch status {
	case exitOK:
		return nil
	case exitNotFinal:
		return &exit{status, fmt.Errorf("not final after %s; look again with:%s", wait, strings.Join(open, ""))}
	}
	return &exit{status, nil}
}

// outcome is the exit status that a task stands for. A dry run ends as cancelled, which is its success.
func outcome(t schemas.Task) int {
	switch {
	case !t.Status.Final():
		return exitNotFinal
	case t.Status == schemas.StatusSuccessful, t.Request.DryRun && t.Status == schemas.StatusCancelled && t.Code.OK():
		return exitOK
	}
	return exitUnsuccessful
}

// showAgain is the command that shows a task later; it reaches resetd as this one did and can be copied as it stands.
func (o *sendOptions) showAgain(id string) string {
	line := "resetd tasks show"
	for _, f := range []struct{ name, value string }{{"-c", o.file}, {"--url", o.named}, {"--token", o.token}} {
		if f.value != "" {
			line += " " + f.name + " " + shellWord(f.value)
		}
	}
	return line + " " + shellWord(plain(id))
}
