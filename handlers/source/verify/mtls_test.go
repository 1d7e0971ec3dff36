package verify_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

// quiet hears of the handshakes that are meant to fail.
var quiet = log.New(io.Discard, "", 0)

func mtls(c sender.Certificate) sender.Verify { return sender.Verify{Scheme: "mtls", Certificate: c} }

func TestCertificatesAreJudgedByChainNameKeyAndTime(t *testing.T) {
	root, stranger := authority(nil, "root"), authority(nil, "root") // of the same name
	between := authority(root, "between")
	named, all := client(root, "soar.example.com"), issue(root, allNames)
	deep := client(between, "soar.example.com")
	alone := client(nil, "soar.example.com")
	old := issue(root, func(c *x509.Certificate) { allNames(c); c.NotAfter = noon.Add(-time.Minute) })
	early := issue(root, func(c *x509.Certificate) { allNames(c); c.NotBefore = noon.Add(time.Minute) })
	server := issue(root, func(c *x509.Certificate) {
		allNames(c)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	general := issue(root, func(c *x509.Certificate) { c.DNSNames = []string{"soar.example.com"} })
	common := issue(root, func(c *x509.Certificate) {
		c.Subject.CommonName, c.ExtKeyUsage = "soar.example.com", []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	forged := client(stranger, "soar.example.com")
	// Somebody with a certificate of the authority is no authority.
	child := client(named, "admin.example.com")
	child.chain = append(child.chain, named.cert.Raw)
	oldAlone := issue(nil, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
	serverAlone := issue(nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })

	ca := file(t, root)
	names := func(list ...string) sender.Certificate { return sender.Certificate{CA: ca, Names: list} }
	pins := func(ids ...*identity) (c sender.Certificate) {
		for _, i := range ids {
			c.SPKI = append(c.SPKI, i.pin())
		}
		return c
	}
	both := func(name string, i *identity) sender.Certificate {
		return sender.Certificate{CA: ca, Names: []string{name}, SPKI: []string{i.pin()}}
	}
	const ok, wrong = "accepted", verify.ReasonWrongCertificate
	for name, c := range map[string]struct {
		c    sender.Certificate
		id   *identity
		want verify.Reason
		who  string
	}{
		"dns":                {names("dns:soar.example.com"), named, ok, "dns:soar.example.com"},
		"dns, any case":      {names("dns:SOAR.example.COM"), named, ok, "dns:SOAR.example.COM"},
		"dns, second":        {names("dns:x.example.com", "dns:soar.example.com"), named, ok, "dns:soar.example.com"},
		"dns, other":         {names("dns:x.example.com"), named, wrong, ""},
		"dns, part":          {names("dns:example.com"), named, wrong, ""},
		"dns, Kelvin sign":   {names("dns:\u212Aelvin.example.com"), client(root, "kelvin.example.com"), wrong, ""},
		"wild, not expanded": {names("dns:a.wild.example.com"), all, wrong, ""},
		"wild, as it is":     {names("dns:*.wild.example.com"), all, ok, "dns:*.wild.example.com"},
		"uri":                {names("uri:spiffe://example.com/soar"), all, ok, "uri:spiffe://example.com/soar"},
		"uri, longer":        {names("uri:spiffe://example.com/soar/x"), all, wrong, ""},
		"email":              {names("email:Soar@EXAMPLE.com"), all, ok, "email:Soar@EXAMPLE.com"},
		"email, other case":  {names("email:soar@example.com"), all, wrong, ""},
		"ip":                 {names("ip:192.0.2.7"), all, ok, "ip:192.0.2.7"},
		"ip, mapped":         {names("ip:::ffff:192.0.2.7"), all, ok, "ip:::ffff:192.0.2.7"},
		"ip, v6":             {names("ip:2001:db8::7"), all, ok, "ip:2001:db8::7"},
		"ip, other":          {names("ip:192.0.2.8"), all, wrong, ""},
		"a name of a kind":   {names("dns:192.0.2.7"), all, wrong, ""},
		"common name":        {names("dns:soar.example.com"), common, wrong, ""},
		"intermediate":       {names("dns:soar.example.com"), deep, ok, "dns:soar.example.com"},
		"no intermediate":    {names("dns:soar.example.com"), &identity{deep.cert, deep.key, deep.chain[:1]}, wrong, ""},
		"stranger's":         {names("dns:soar.example.com"), forged, wrong, ""},
		"own":                {names("dns:soar.example.com"), alone, wrong, ""},
		"by no authority":    {names("dns:admin.example.com"), child, wrong, ""},
		"expired":            {names("dns:soar.example.com"), old, verify.ReasonExpired, ""},
		"not yet":            {names("dns:soar.example.com"), early, verify.ReasonNotYet, ""},
		"for servers":        {names("dns:soar.example.com"), server, wrong, ""},
		"for nothing said":   {names("dns:soar.example.com"), general, ok, "dns:soar.example.com"},
		"pinned, own":        {pins(alone), alone, ok, alone.pin()},
		"pinned, second":     {pins(named, alone), alone, ok, alone.pin()},
		"pinned, of a CA":    {pins(named), named, ok, named.pin()},
		"pinned, other":      {pins(named), alone, wrong, ""},
		"pinned, the CA's":   {pins(root), named, wrong, ""},
		"pinned, expired":    {pins(oldAlone), oldAlone, verify.ReasonExpired, ""},
		"pinned, servers":    {pins(serverAlone), serverAlone, wrong, ""},
		"both":               {both("dns:soar.example.com", named), named, ok, "dns:soar.example.com"},
		"both, other key":    {both("dns:soar.example.com", all), named, wrong, ""},
		"both, other name":   {both("dns:x.example.com", named), named, wrong, ""},
		"pin and CA":         {sender.Certificate{CA: ca, SPKI: []string{named.pin()}}, named, ok, named.pin()},
		"pin, not of the CA": {sender.Certificate{CA: ca, SPKI: []string{alone.pin()}}, alone, wrong, ""},
	} {
		s := mustOpen(t, mtls(c.c), verify.Options{})
		d := delivery("body")
		d.TLS = c.id.state()
		p, err := s.Verify(t.Context(), d, noon)
		if got := reasonOf(err); got != c.want || p.Who != c.who {
			t.Errorf("%s: got %s, want %s; who %q (%v)", name, got, c.want, p.Who, err)
		}
		if err == nil && string(p.Payload) != "body" {
			t.Errorf("%s: payload %q", name, p.Payload)
		}
	}
	s := mustOpen(t, mtls(names("dns:soar.example.com")), verify.Options{})
	for name, state := range map[string]*tls.ConnectionState{"plain": nil, "none": {}} {
		d := delivery("body")
		d.TLS = state
		if _, err := s.Verify(t.Context(), d, noon); reasonOf(err) != verify.ReasonNoCertificate {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := delivery("body")
	d.TLS = named.state()
	for range 10 {
		d.TLS.PeerCertificates = append(d.TLS.PeerCertificates, root.cert)
	}
	if _, err := s.Verify(t.Context(), d, noon); reasonOf(err) != wrong {
		t.Errorf("eleven certificates: %v", err)
	}
	if c := s.Covers(); !c.Body || c.Time || c.ID {
		t.Errorf("it covers %+v", c)
	}
}

func TestAProxysHeaderCountsFromTheProxyAlone(t *testing.T) {
	root := authority(nil, "root")
	named, other, proxy := client(root, "soar.example.com"), client(root, "x.example.com"), client(root, "soar.example.com")
	c := sender.Certificate{CA: file(t, root), Names: []string{"dns:soar.example.com"}, ProxyHeader: "x-client-cert", ProxyFrom: []string{"10.0.0.0/8"}}
	s := mustOpen(t, mtls(c), verify.Options{})
	const ok, none, wrong = "accepted", verify.ReasonNoCertificate, verify.ReasonWrongCertificate
	good := nginxEscape(named.pem())
	for name, x := range map[string]struct {
		peer   string
		header []string
		own    *identity
		want   verify.Reason
	}{
		"proxy":                        {"10.1.2.3", []string{good}, nil, ok},
		"proxy, mapped":                {"::ffff:10.1.2.3", []string{good}, nil, ok},
		"proxy, other":                 {"10.1.2.3", []string{nginxEscape(other.pem())}, nil, wrong},
		"proxy, none":                  {"10.1.2.3", nil, nil, none},
		"proxy, empty":                 {"10.1.2.3", []string{""}, nil, none},
		"proxy, twice":                 {"10.1.2.3", []string{good, good}, nil, "doubled_header"},
		"proxy with its own, none":     {"10.1.2.3", nil, proxy, none},
		"proxy with its own, other":    {"10.1.2.3", []string{nginxEscape(other.pem())}, proxy, wrong},
		"stranger":                     {"192.0.2.7", []string{good}, nil, wrong},
		"stranger, empty":              {"192.0.2.7", []string{""}, nil, wrong},
		"stranger with a good one too": {"192.0.2.7", []string{good}, named, wrong},
		"direct":                       {"192.0.2.7", nil, named, ok},
		"direct, other":                {"192.0.2.7", nil, other, wrong},
		"direct, none":                 {"192.0.2.7", nil, nil, none},
	} {
		d := delivery("body")
		// The client as the proxy tells it never decides who may hand over a certificate.
		d.Peer, d.Client = netip.MustParseAddr(x.peer), netip.MustParseAddr("10.9.9.9")
		if x.header != nil {
			d.Header["X-Client-Cert"] = x.header
		}
		if x.own != nil {
			d.TLS = x.own.state()
		}
		if _, err := s.Verify(t.Context(), d, noon); reasonOf(err) != x.want {
			t.Errorf("%s: got %v, want %s", name, err, x.want)
		}
	}
	// Without a header that is configured none is looked at.
	c.ProxyHeader, c.ProxyFrom = "", nil
	d := delivery("body", "X-Client-Cert", good)
	d.Peer = netip.MustParseAddr("10.1.2.3")
	if _, err := mustOpen(t, mtls(c), verify.Options{}).Verify(t.Context(), d, noon); reasonOf(err) != none {
		t.Errorf("a header that nobody configured: %v", err)
	}
}

// TestOverARealConnection makes real handshakes, also a resumed one, against a server that asks for certificates and leaves
// the judgement to the scheme.
func TestOverARealConnection(t *testing.T) {
	root := authority(nil, "root")
	between := authority(root, "between")
	s := mustOpen(t, mtls(sender.Certificate{CA: file(t, root), Names: []string{"dns:soar.example.com"}}), verify.Options{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, err := s.Verify(r.Context(), &verify.Delivery{Header: r.Header, Body: body, TLS: r.TLS}, noon)
		w.Header().Set("Resumed", map[bool]string{true: "yes"}[r.TLS.DidResume])
		_, _ = io.WriteString(w, string(reasonOf(err)))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12, Time: func() time.Time { return noon }}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()

	post := func(t *testing.T, h *http.Client) (answer, resumed string) {
		t.Helper()
		r, err := h.Post(server.URL, "application/json", bytes.NewReader([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), r.Header.Get("Resumed")
	}
	for name, c := range map[string]struct {
		ids  []tls.Certificate
		want string
	}{
		"right":        {[]tls.Certificate{client(root, "soar.example.com").tls()}, "accepted"},
		"intermediate": {[]tls.Certificate{client(between, "soar.example.com").tls()}, "accepted"},
		"wrong name":   {[]tls.Certificate{client(root, "x.example.com").tls()}, "wrong_certificate"},
		"stranger":     {[]tls.Certificate{client(authority(nil, "root"), "soar.example.com").tls()}, "wrong_certificate"},
		"none":         {nil, "no_certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.TLSClientConfig.Certificates = c.ids
			transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			defer transport.CloseIdleConnections()
			h := &http.Client{Transport: transport}
			if got, _ := post(t, h); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			transport.CloseIdleConnections()
			if got, resumed := post(t, h); got != c.want || resumed != "yes" {
				t.Errorf("resumed (%q): got %s, want %s", resumed, got, c.want)
			}
		})
	}
}
