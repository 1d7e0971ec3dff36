package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/cmd/resetd/demo"
	"github.com/resetd/resetd/schemas"
)

// demoLimit bounds the walk; it takes well under a second.
const demoLimit = 30 * time.Second

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the whole walk on this machine; needs nothing else", Args: noArgs,
		Long: "Starts a small LDAP directory on loopback, resetd with embedded ledger and queue, and a receiver of callbacks. Sends a\n" +
			"signed webhook, shows each step as it happens, verifies the callback, and goes on serving for you to try.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do the walk once and end; the last line is one JSON object")
	return cmd
}

func runDemo(ctx context.Context, out, errs io.Writer, once bool) error {
	site, err := demo.NewSite()
	if err != nil {
		return err
	}
	defer site.Close()
	c, err := config.Load(site.Config, known(), os.LookupEnv)
	if err != nil {
		return fmt.Errorf("the demo's own configuration: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, ended := make(chan *app, 1), make(chan error, 1)
	go func() { ended <- serve(ctx, c, newLogger(c.Log, errs), func(a *app) { ready <- a }) }()
	select {
	case err := <-ended:
		return err
	case <-ready:
	}
	result, err := walk(ctx, out, site)
	if err == nil && !once {
		invite(out, site)
		select {
		case err = <-ended:
			return err
		case <-ctx.Done():
		}
	}
	stop()
	if e := <-ended; err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if once {
		return json.NewEncoder(out).Encode(result)
	}
	return nil
}

// demoResult is the last line of `resetd demo --once`.
type demoResult struct {
	Task             string         `json:"task"`
	Status           schemas.Status `json:"status"`
	CallbackVerified bool           `json:"callback_verified"`
	TookMS           int64          `json:"took_ms"`
}

// walk sends the webhook and follows it to the callback. It gives an error unless everything ended well.
func walk(ctx context.Context, out io.Writer, site *demo.Site) (demoResult, error) {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	victim := demo.People()[0]
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	works, _ := site.Directory.Login(victim.DN(), victim.Password)
	say("A directory of %d people listens at %s. resetd listens at http://%s.", len(demo.People()), site.Directory.URL, site.Listen)
	say("A thief has the password of %s (%s). Can the thief log in? %s.\n", victim.Name, victim.Mail, yesOrNo(works))

	began := time.Now()
	task, err := postWebhook(ctx, site, victim.Mail)
	if err != nil {
		return demoResult{}, err
	}
	say("→ POST /v1/hooks/%s, signed by Standard Webhooks: reset %s", demo.Source, victim.Mail)
	say("← 202 after the request was on disk: task %s\n", task)
	final, err := followTask(ctx, out, site, task)
	if err != nil {
		return demoResult{}, err
	}
	told, err := site.Receiver.Wait(ctx, task)
	if err != nil {
		return demoResult{}, err
	}
	result := demoResult{task, final.Status, true, time.Since(began).Milliseconds()}
	works, _ = site.Directory.Login(victim.DN(), victim.Password)
	say("\n← callback %s, signature verified: %s", told.ID, told.Type)
	say("%s", indent(told.Body))
	say("\nCan the thief log in now? %s. The whole walk took %d ms.", yesOrNo(works), result.TookMS)
	if final.Status != schemas.StatusSuccessful || works {
		return result, fmt.Errorf("the demo's task ended as %s (%s: %s) and the old password works: %t; please report this", final.Status, final.Code, final.Detail, works)
	}
	return result, nil
}

func yesOrNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

func invite(out io.Writer, site *demo.Site) {
	next := demo.People()[1]
	fmt.Fprintf(out, `
resetd goes on serving. Try it yourself, as an operator:

  curl -s -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \
       -d '{"account": "%s", "description": "my own try"}' http://%s/v1/tasks

or as a sender, with a signed webhook:

  go run ./cmd/resetd send -c %s --source %s --account %s --wait

Look at what happened:  http://%s/v1/tasks (with the same header); the interface: http://%s/openapi.yaml
Ctrl-C ends it and leaves nothing behind.
`, site.Token, next.Mail, site.Listen, site.Config, demo.Source, demo.People()[2].Mail, site.Listen, site.Listen)
}
