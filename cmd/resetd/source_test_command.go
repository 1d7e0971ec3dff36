package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// trialOptions are the flags of `resetd source test`.
type trialOptions struct {
	file, preset, body, token, from, at string
	headers                             []string
	asJSON                              bool
}

func sourceTestCommand() *cobra.Command {
	var o trialOptions
	c := &cobra.Command{
		Use: "test [NAME] --body FILE", Short: "Try a body on a source: verification, mapping and the requests that it would make; nothing is done",
		Long: "Reads a body as a source of the configuration would, and shows what it would ask for. It needs no running resetd and does nothing.\n" +
			"The signature is verified if the delivery's headers are given; without any, only the mapping is tried. With --preset no\n" +
			"configuration is needed.\n\nExit status: 0 it would be taken, 1 it would be refused, 2 wrong use.",
		Example: `  resetd source test --preset wazuh --body alert.json
  resetd source test -c resetd.yaml github --body push.json --header 'X-GitHub-Event: secret_scanning_alert' \
      --header "X-Hub-Signature-256: sha256=…"`,
		RunE: func(c *cobra.Command, args []string) error {
			got, err := o.run(c, args)
			if err != nil {
				return err
			}
			if o.asJSON {
				err = printJSON(c.OutOrStdout(), got)
			} else {
				err = got.print(c.OutOrStdout())
			}
			if err == nil && got.Refused {
				return &exit{exitUnsuccessful, nil}
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVarP(&o.file, "config", "c", starterName, "configuration file")
	f.StringVar(&o.preset, "preset", "", "try the mapping of a preset, without a configuration")
	f.StringVar(&o.body, "body", "", "file with the body, byte for byte; - for standard input")
	f.StringArrayVar(&o.headers, "header", nil, "a header of the delivery, NAME: VALUE; may be given several times")
	f.StringVar(&o.token, "token", "", "the part of the URL behind the source's name")
	f.StringVar(&o.from, "from", "", "the address that the delivery comes from; default: one that is allowed")
	f.StringVar(&o.at, "at", "", "when the delivery comes, RFC 3339; default: now")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return c
}

// run tries the body.
func (o *trialOptions) run(c *cobra.Command, args []string) (*trial, error) {
	if o.body == "" {
		return nil, usagef(c, "name the file with the body: --body FILE, or --body - for standard input")
	}
	body, err := o.read(c.InOrStdin())
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	header, err := trialHeader(o.headers)
	if err != nil {
		return nil, usagef(c, "%s", err)
	}
	now, err := trialTime(o.at)
	if err != nil {
		return nil, usagef(c, "%s", err)
	}
	if _, err := netip.ParseAddr(o.from); err != nil && o.from != "" {
		return nil, usagef(c, "--from must be an address such as 192.0.2.7")
	}
	src, systems, err := o.source(c, args)
	if err != nil {
		return nil, err
	}
	t := &trial{Source: src.Name, Preset: src.Preset, Scheme: src.Scheme, Systems: systems}
	proof := verify.Proof{Payload: body}
	if err := handlers.CheckDelivery(header, body); err != nil {
		t.Verification = "not tried"
		return t.refuse(err), nil
	}
	switch {
	case o.preset != "":
		t.Verification = "not tried: a preset alone has no keys"
	case len(o.headers) == 0 && o.token == "" && !src.Transmits():
		t.Verification = "not tried: give the delivery's headers by --header to have it verified"
	default:
		from, err := o.peer()
		if err != nil {
			return nil, usagef(c, "%s", err)
		}
		d := &verify.Delivery{Method: "POST", Path: "/v1/hooks/" + src.Name, Header: header, Body: body, Token: o.token, Peer: from, Client: from}
		if proof, err = src.Verify(c.Context(), d, now); err != nil {
			t.Verification, t.Refused = "refused: "+err.Error(), true
			return t, nil
		}
		t.Verification = "ok"
		if r, ok := src.Answer(d, func(string) string { return "" }, proof.Payload); ok {
			t.Handshake = fmt.Sprintf("answered with %d %s", r.Status, r.Body)
			return t, nil
		}
	}
	if err := handlers.CheckMedia(header, src.Media()); err != nil && o.preset == "" {
		return t.refuse(err), nil
	}
	mapped, problem := src.Map(c.Context(), header, proof, now)
	if problem != nil {
		return t.refuse(problem), nil
	}
	t.Ignored, t.Skipped = mapped.Ignored, mapped.Skipped
	for _, r := range mapped.Requests {
		t.Requests = append(t.Requests, r.WithDefaults())
	}
	return t, nil
}

func (o *trialOptions) read(in io.Reader) ([]byte, error) {
	if o.body == "-" {
		return io.ReadAll(in)
	}
	body, err := os.ReadFile(o.body)
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", err)
	}
	return body, nil
}

// source gives the source to try, and the systems that its requests would go to.
func (o *trialOptions) source(c *cobra.Command, args []string) (*source.Source, []string, error) {
	v := schemas.NewValidator()
	if o.preset != "" {
		if len(args) > 0 {
			return nil, nil, usagef(c, "give either a source of the configuration, or --preset")
		}
		src, err := source.Preview(source.Config{Name: "preview", Preset: o.preset}, v)
		if err != nil {
			return nil, nil, &exit{exitUsage, err}
		}
		return src, nil, nil
	}
	if len(args) != 1 {
		return nil, nil, usagef(c, "name one source of the configuration, or --preset")
	}
	conf, err := loadConfig(c, o.file)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(conf.Sources, func(s config.Source) bool { return s.Name == args[0] })
	if i < 0 {
		var names []string
		for _, s := range conf.Sources {
			names = append(names, s.Name)
		}
		return nil, nil, usagef(c, "%s has no source %q; its sources are %s", conf.File, plain(args[0]), dash(strings.Join(names, ", ")))
	}
	set, err := openSources(conf, v, zerolog.Nop())
	if err != nil {
		return nil, nil, &exit{exitUsage, err}
	}
	src, _ := set.Find(args[0])
	if o.from == "" && len(conf.Sources[i].Verify.AllowFrom) > 0 {
		o.from = conf.Sources[i].Verify.AllowFrom[0]
	}
	return src, conf.Sources[i].Systems, nil
}

// peer is where the delivery comes from: nowhere, unless it is said or the source allows some networks only.
func (o *trialOptions) peer() (netip.Addr, error) {
	if o.from == "" {
		return netip.Addr{}, nil
	}
	text, _, _ := strings.Cut(o.from, "/") // of a network that is allowed, any address
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, errors.New("--from must be an address such as 192.0.2.7")
	}
	return a, nil
}

func cutHeader(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	return strings.TrimSpace(name), strings.TrimSpace(value), ok && strings.TrimSpace(name) != ""
}
