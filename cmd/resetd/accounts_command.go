package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// lookLimit bounds one look at all systems, which the API itself bounds more tightly.
const lookLimit = time.Minute

// accountsCommand makes `resetd accounts`: one account as every system shows it.
func accountsCommand() *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use:   "accounts ACCOUNT",
		Short: "Look an account up on every system, without changing anything",
		Long: "Asks every system of a running resetd for the account: where it is found, what it is there, when its password was changed, and\n" +
			"whether a reset would be refused. ACCOUNT is written as for send: a login, an e-mail address, DOMAIN\\name, a SID, an object id,\n" +
			"or TYPE:VALUE.",
		Example: "  resetd accounts -c resetd.yaml jdoe@example.com",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(c, "give one account")
			}
			who, err := parseAccount(args[0])
			if err != nil {
				return usagef(c, "%q: %s", plain(args[0]), err)
			}
			api, err := a.client(c, "operator")
			if err != nil {
				return err
			}
			var got schemas.AccountReport
			query := url.Values{"q": {who.Value}, "type": {string(who.Type)}}
			if err := api.call(c.Context(), http.MethodGet, "/v1/accounts?"+query.Encode(), nil, lookLimit, &got); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), got)
			}
			return sightingTable(c.OutOrStdout(), got)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	a.flags(c)
	return c
}

// sightingTable prints one line for each system, and below it what a person should know before asking for a reset.
func sightingTable(w io.Writer, r schemas.AccountReport) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tSTATE\tACCOUNT\tORIGIN\tENABLED\tPRIVILEGED\tPASSWORD SET\tMUST CHANGE\tRESET")
	for _, s := range r.Systems {
		name := "-"
		if s.Identity != nil {
			name = short(s.Identity.Name, 40)
		}
		if s.Profile == nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t-\t-\t-\t-\t-\t-\n", plain(s.System), s.State, name)
			continue
		}
		p := *s.Profile
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(s.System), s.State, name, p.Origin, yesNo(p.Enabled), yesNo(p.Privileged),
			stamp(p.PasswordChangedAt), yesNo(p.MustChange), resettable(s))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Systems {
		detail := s.Detail
		if s.Profile != nil && s.Profile.Protected {
			detail = s.Profile.ProtectedBecause
		}
		if detail != "" {
			if _, err := fmt.Fprintf(w, "%s: %s\n", plain(s.System), plain(detail)); err != nil {
				return err
			}
		}
	}
	return nil
}

// resettable says in a word what a reset would meet.
func resettable(s schemas.Sighting) string {
	switch {
	case s.Profile.Protected:
		return "protected"
	case s.Profile.Origin == schemas.OriginSynced:
		return "at its source"
	case s.Profile.Origin == schemas.OriginFederated || s.Profile.Origin == schemas.OriginGuest:
		return "elsewhere"
	case s.Permission != schemas.PermissionGranted:
		return "not permitted"
	}
	return "possible"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
