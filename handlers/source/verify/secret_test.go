package verify_test

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

func shared(in sender.SharedSecret) sender.Verify {
	v := sharedHeader()
	v.Secret = in
	return v
}

func basicOf(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestASharedSecretCountsInItsPlaceAndNowhereElse(t *testing.T) {
	header := shared(sender.SharedSecret{In: "header", Header: "x-secret"})
	bearer := shared(sender.SharedSecret{In: "bearer"})
	basic := shared(sender.SharedSecret{In: "basic", User: "splunk"})
	url := shared(sender.SharedSecret{In: "url"})
	// Okta sends a fixed text as Authorization, with or without a scheme.
	raw := shared(sender.SharedSecret{In: "header", Header: "Authorization"})
	const ok, missing, wrong, doubled = "accepted", verify.ReasonMissingToken, verify.ReasonWrongSecret, verify.Reason("doubled_header")

	for name, c := range map[string]struct {
		v       sender.Verify
		token   string
		headers []string
		want    verify.Reason
	}{
		"header":             {header, "", []string{"X-Secret", secretA}, ok},
		"header, second":     {header, "", []string{"X-Secret", secretB}, ok},
		"header, none":       {header, "", nil, missing},
		"header, empty":      {header, "", []string{"X-Secret", ""}, missing},
		"header, wrong":      {header, "", []string{"X-Secret", secretA + "x"}, wrong},
		"header, cut":        {header, "", []string{"X-Secret", secretA[:18]}, wrong},
		"header, both":       {header, "", []string{"X-Secret", secretA + secretB}, wrong},
		"header, list":       {header, "", []string{"X-Secret", secretA + ", " + secretB}, wrong},
		"header, case":       {header, "", []string{"X-Secret", strings.ToUpper(secretA)}, wrong},
		"header, twice":      {header, "", []string{"X-Secret", secretA, "X-Secret", secretA}, doubled},
		"header, empty, one": {header, "", []string{"X-Secret", "", "X-Secret", secretA}, doubled},
		"header, in bearer":  {header, "", []string{"Authorization", "Bearer " + secretA}, missing},
		"header, in url":     {header, secretA, nil, missing},
		"header, long":       {header, "", []string{"X-Secret", strings.Repeat("x", 1<<20)}, wrong},

		"bearer":              {bearer, "", []string{"Authorization", "Bearer " + secretB}, ok},
		"bearer, any case":    {bearer, "", []string{"Authorization", "bEARER " + secretA}, ok},
		"bearer, more spaces": {bearer, "", []string{"Authorization", "Bearer   " + secretA}, ok},
		"bearer, bare":        {bearer, "", []string{"Authorization", secretA}, missing},
		"bearer, alone":       {bearer, "", []string{"Authorization", "Bearer "}, missing},
		"bearer, basic":       {bearer, "", []string{"Authorization", basicOf("splunk:" + secretA)}, missing},
		"bearer, wrong":       {bearer, "", []string{"Authorization", "Bearer " + secretA + " "}, wrong},
		"bearer, twice":       {bearer, "", []string{"Authorization", "Bearer " + secretA, "Authorization", "Bearer " + secretA}, doubled},
		"bearer, joined":      {bearer, "", []string{"Authorization", "Bearer " + secretA + ", Bearer " + secretA}, wrong},
		"bearer, in url":      {bearer, secretA, nil, missing},
		"bearer, in header":   {bearer, "", []string{"X-Secret", secretA}, missing},

		"basic":              {basic, "", []string{"Authorization", basicOf("splunk:" + secretA)}, ok},
		"basic, second":      {basic, "", []string{"Authorization", basicOf("splunk:" + secretB)}, ok},
		"basic, user":        {basic, "", []string{"Authorization", basicOf("Splunk:" + secretA)}, wrong},
		"basic, no user":     {basic, "", []string{"Authorization", basicOf(":" + secretA)}, wrong},
		"basic, password":    {basic, "", []string{"Authorization", basicOf("splunk:" + secretA + "x")}, wrong},
		"basic, no password": {basic, "", []string{"Authorization", basicOf("splunk:")}, wrong},
		"basic, no colon":    {basic, "", []string{"Authorization", basicOf("splunk")}, missing},
		"basic, colon more":  {basic, "", []string{"Authorization", basicOf("splunk:" + secretA + ":")}, wrong},
		"basic, no base64":   {basic, "", []string{"Authorization", "Basic ***"}, missing},
		"basic, stray bits":  {basic, "", []string{"Authorization", "Basic YR=="}, missing},
		"basic, bearer":      {basic, "", []string{"Authorization", "Bearer " + secretA}, missing},
		"basic, twice":       {basic, "", []string{"Authorization", basicOf("splunk:" + secretA), "Authorization", "Bearer x"}, doubled},

		"url":            {url, secretA, nil, ok},
		"url, second":    {url, secretB, nil, ok},
		"url, none":      {url, "", nil, missing},
		"url, wrong":     {url, secretA + "/", nil, wrong},
		"url, escaped":   {url, "%61" + secretA[1:], nil, wrong},
		"url, in header": {url, "", []string{"Authorization", "Bearer " + secretA}, missing},

		"raw":        {raw, "", []string{"Authorization", secretA}, ok},
		"raw bearer": {raw, "", []string{"Authorization", "Bearer " + secretA}, wrong},
	} {
		s := mustOpen(t, c.v, verify.Options{})
		d := delivery("body", c.headers...)
		d.Token = c.token
		p, err := s.Verify(t.Context(), d, noon)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", name, got, c.want, err)
		}
		if err == nil && (string(p.Payload) != "body" || p.ID != "" || !p.At.IsZero()) {
			t.Errorf("%s: it vouches for %+v", name, p)
		}
		if c.v.Secret.In == "basic" && err == nil && p.Who != "splunk" {
			t.Errorf("%s: who is %q", name, p.Who)
		}
	}
	if c := mustOpen(t, header, verify.Options{}).Covers(); c != (verify.Coverage{}) || c.Weak() == "" {
		t.Errorf("it covers %+v and is not weak", c)
	}
}

func TestEverySchemeHonoursAllowFrom(t *testing.T) {
	right := delivery("", "X-Secret", secretA)
	for from, addresses := range map[string]map[string]bool{
		"192.0.2.0/24":          {"192.0.2.0": true, "192.0.2.255": true, "::ffff:192.0.2.9": true, "192.0.3.0": false, "2001:db8::1": false},
		"::ffff:192.0.2.0/120":  {"192.0.2.9": true, "::ffff:192.0.2.9": true, "192.0.3.0": false},
		"::ffff:192.0.2.9":      {"192.0.2.9": true, "192.0.2.8": false},
		"192.0.2.9":             {"192.0.2.9": true, "192.0.2.8": false},
		"2001:db8::/32":         {"2001:db8:ffff::1": true, "2001:db9::1": false, "192.0.2.9": false},
		"fe80::/10":             {"fe80::1%eth0": true},
		"::ffff:0.0.0.0/97":     {"127.0.0.1": true, "128.0.0.1": false, "::1": false},
		"198.51.100.7/32":       {"198.51.100.7": true, "198.51.100.6": false},
		"2001:db8::7/128":       {"2001:db8::7": true, "2001:db8::6": false},
		"10.0.0.0/8, 192.0.2.9": {"10.255.0.1": true, "192.0.2.9": true, "11.0.0.0": false},
	} {
		v := sharedHeader()
		v.AllowFrom = strings.Split(from, ", ")
		s := mustOpen(t, v, verify.Options{})
		for address, want := range addresses {
			d := *right
			// The peer is a proxy that is trusted: it is not the sender.
			d.Peer, d.Client = netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr(address)
			_, err := s.Verify(t.Context(), &d, noon)
			if got := reasonOf(err); want != (got == "accepted") || !want && got != verify.ReasonForbiddenAddress {
				t.Errorf("%s from %s: %s", address, from, got)
			}
		}
		d := *right
		d.Client = netip.Addr{}
		if _, err := s.Verify(t.Context(), &d, noon); reasonOf(err) != verify.ReasonForbiddenAddress {
			t.Errorf("no address from %s: %v", from, err)
		}
	}
	for _, v := range []sender.Verify{
		{Scheme: "standard-webhooks", Keys: sixKeys()[:1]},
		{Scheme: "mtls", Certificate: sender.Certificate{SPKI: []string{pinOfNothing}}},
		publicJWT("https://keys.example.com"),
		{Scheme: "ssf-set", Token: publicJWT("https://keys.example.com").Token},
	} {
		v.AllowFrom = []string{"10.0.0.0/8"}
		s := mustOpen(t, v, verify.Options{})
		if _, err := s.Verify(t.Context(), delivery(""), noon); reasonOf(err) != verify.ReasonForbiddenAddress {
			t.Errorf("%s: %v", v.Scheme, err)
		}
		if v.AllowFrom = nil; s.Covers() != mustOpen(t, v, verify.Options{}).Covers() {
			t.Errorf("%s: its coverage is hidden by allow_from", v.Scheme)
		}
	}
}
