package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// showCallbacks prints what the caller of a task was told of it; nothing when nothing was owed. A task has one callback
// for each change of its status at most, so that one page all but always holds them.
func showCallbacks(c *cobra.Command, api *client, t schemas.Task) error {
	var page schemas.CallbackPage
	if err := api.call(c.Context(), http.MethodGet, "/v1/callbacks", url.Values{"task": {t.ID}}, 0, &page); err != nil {
		return err
	}
	if len(page.Callbacks) == 0 {
		return nil
	}
	fmt.Fprintln(c.OutOrStdout())
	if err := callbackTable(c.OutOrStdout(), page.Callbacks); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintln(c.ErrOrStderr(), "there are older callbacks; the API lists them all at /v1/callbacks?task="+url.QueryEscape(t.ID))
	}
	return nil
}

// callbackTable prints one line for each callback.
func callbackTable(w io.Writer, callbacks []schemas.Callback) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "CALLBACK\tTELLS\tSTATE\tATTEMPTS\tNEXT\tLAST ANSWER\tURL")
	for _, cb := range callbacks {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", plain(cb.ID), cb.Status, cb.State, cb.Attempts, stamp(cb.DueAt), lastAnswer(cb.Log), plain(cb.URL))
	}
	return t.Flush()
}

// lastAnswer says what came of the last attempt: the status of the receiver, or why there was none.
func lastAnswer(log []schemas.Attempt) string {
	if len(log) == 0 {
		return "-"
	}
	last := log[len(log)-1]
	text := last.Error
	if last.HTTPStatus != 0 {
		text = fmt.Sprint(last.HTTPStatus)
	}
	return dash(plain(text))
}
