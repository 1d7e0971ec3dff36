package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas/signature"
)

// maxSigned bounds a body that is signed in bytes. resetd takes far less; other receivers may take more.
const maxSigned = 64 << 20

// signCommand makes `resetd sign`: it does no network call, so that any tool can send what was signed.
func signCommand() *cobra.Command {
	var key, id, timestamp, format string
	c := &cobra.Command{
		Use:   "sign --key file:PATH < BODY",
		Short: "Sign a body and print the three webhook headers",
		Long: `Reads a body from standard input and prints the headers webhook-id, webhook-timestamp and webhook-signature by
Standard Webhooks. Send the very same bytes within five minutes.`,
		Example: `  resetd sign --key file:keys/soar.key < body.json > headers
  curl -H @headers -H content-type:application/json --data-binary @body.json http://127.0.0.1:8080/v1/hooks/soar

  curl $(resetd sign --key file:keys/soar.key --format curl < body.json) --data-binary @body.json http://127.0.0.1:8080/v1/hooks/soar`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := parseTimestamp(timestamp, time.Now())
			if err != nil {
				return usagef(c, "--timestamp: %s", err)
			}
			k, err := signingKey(c, key)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(io.LimitReader(c.InOrStdin(), maxSigned+1))
			switch {
			case err != nil:
				return fmt.Errorf("the body cannot be read from standard input: %w", err)
			case len(body) > maxSigned:
				return usagef(c, "the body has more than %d bytes; give the right file on standard input", maxSigned)
			}
			if id == "" {
				id = newMessageID()
			}
			h, err := signature.Sign([]signature.Key{k}, id, at, body)
			if err != nil {
				return usagef(c, "%s", keyDetail(err))
			}
			return printHeaders(c, format, h)
		},
	}
	c.Flags().StringVar(&key, "key", "", "the key to sign with, as file:PATH or '${ENV}': whsec_… or whsk_…")
	c.Flags().StringVar(&id, "id", "", "the webhook-id (default: a new one); the same id again is the same message")
	c.Flags().StringVar(&timestamp, "timestamp", "", "the time to sign with: Unix seconds or 2026-11-22T07:00:00Z (default: now)")
	c.Flags().StringVar(&format, "format", "headers", "headers (curl -H @FILE), curl (arguments without need of quotes) or json")
	return c
}

// printHeaders writes the three headers in the format asked for. Header names are lower case, as the specification writes
// them; HTTP does not mind.
func printHeaders(c *cobra.Command, format string, h signature.Headers) error {
	out := c.OutOrStdout()
	switch format {
	case "headers":
		fmt.Fprintf(out, "webhook-id: %s\nwebhook-timestamp: %s\nwebhook-signature: %s\n", h.ID, h.Timestamp, h.Signature)
	case "curl":
		// One key gives one signature, so there is no space in any header and the shell cuts them rightly. curl would
		// call the body a form, which resetd does not take, so the type of the native body comes along.
		fmt.Fprintf(out, "-H content-type:application/json -H webhook-id:%s -H webhook-timestamp:%s -H webhook-signature:%s\n", h.ID, h.Timestamp, h.Signature)
	case "json":
		return printJSON(out, map[string]string{"webhook-id": h.ID, "webhook-timestamp": h.Timestamp, "webhook-signature": h.Signature})
	default:
		return usagef(c, "--format must be headers, curl or json")
	}
	return nil
}

// signingKey reads the key that --key names.
func signingKey(c *cobra.Command, ref string) (signature.Key, error) {
	if ref == "" {
		return signature.Key{}, usagef(c, "--key is missing; give file:PATH or '${ENV}'")
	}
	secret, err := readRef(c, "--key", ref)
	if err != nil {
		return signature.Key{}, err
	}
	k, err := signature.ParseKey(secret.Reveal())
	if err != nil {
		return k, usagef(c, "--key: %s", keyDetail(err))
	}
	if !k.CanSign() {
		return k, usagef(c, "--key: this is a public key, which cannot sign; give the whsk_ key that belongs to it")
	}
	return k, nil
}

// keyDetail gives what package signature says without its class; it holds no part of a key.
func keyDetail(err error) string {
	if e, ok := errors.AsType[*signature.Error](err); ok {
		return e.Detail
	}
	return err.Error()
}

// parseTimestamp reads Unix seconds or an RFC 3339 time; no text means now. Whether the time can be signed with is for
// package signature to say.
func parseTimestamp(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("this is no time; write Unix seconds or 2026-11-22T07:00:00Z")
	}
	return at, nil
}

// newMessageID makes a webhook-id: unique, sortable by time (RFC 9562 §5.7), and without a full stop, which would be
// ambiguous in the signed text.
func newMessageID() string {
	// The generator fails only if the system's random numbers do, and that ends the program by itself.
	return "msg_" + strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
}
