package verify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

func hmacOf(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

var (
	github = sender.HMAC{SignatureHeader: "X-Hub-Signature-256", SignaturePrefix: "sha256="}
	slack  = sender.HMAC{SignatureHeader: "X-Slack-Signature", SignaturePrefix: "v0=", ContentTemplate: "v0:{timestamp}:{body}", TimestampHeader: "X-Slack-Request-Timestamp"}
)

func TestHMACVouchesForWhatItsTemplateSigns(t *testing.T) {
	body := mustOpen(t, sender.Verify{Scheme: "hmac", Keys: secrets(secretA, secretB), HMAC: github}, verify.Options{})
	timed := mustOpen(t, sender.Verify{Scheme: "hmac", Keys: secrets(secretA), HMAC: slack, Tolerance: time.Minute}, verify.Options{})
	if c := body.Covers(); c != (verify.Coverage{Body: true}) || c.Weak() == "" {
		t.Errorf("GitHub's covers %+v", c)
	}
	if c := timed.Covers(); c != (verify.Coverage{Body: true, Time: true}) || c.Weak() != "" {
		t.Errorf("Slack's covers %+v", c)
	}
	p, err := body.Verify(t.Context(), delivery("body", "X-Hub-Signature-256", "sha256="+hmacOf(secretB, "body")), noon)
	if err != nil || p.ID != "" || !p.At.IsZero() || string(p.Payload) != "body" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := body.Verify(t.Context(), delivery("bodY", "X-Hub-Signature-256", "sha256="+hmacOf(secretB, "body")), noon); reasonOf(err) != "no_match" {
		t.Error(err)
	}
	d := delivery("body", "X-Slack-Request-Timestamp", "1795348800", "X-Slack-Signature", "v0="+hmacOf(secretA, "v0:1795348800:body"))
	if p, err := timed.Verify(t.Context(), d, noon.Add(time.Minute)); err != nil || !p.At.Equal(noon) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := timed.Verify(t.Context(), d, noon.Add(time.Minute+time.Second)); reasonOf(err) != "too_old" {
		t.Error(err)
	}
}

func TestFaultsOfTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		v    sender.Verify
		want string
	}{
		"nothing":             {sender.Verify{}, "verify.hmac.signature_header,verify.keys"},
		"tolerance, no time":  {sender.Verify{HMAC: github, Keys: secrets(secretA), Tolerance: time.Minute}, "verify.tolerance"},
		"keys":                {sender.Verify{HMAC: github, Keys: secrets(secretA, "short", "", secretB+"\n")}, "verify.keys[1],verify.keys[2],verify.keys[3]"},
		"known to all":        {sender.Verify{HMAC: github, Keys: secrets(secretA, "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==")}, "verify.keys[1]"},
		"the same":            {sender.Verify{HMAC: github, Keys: secrets(secretA, secretA)}, "verify.keys[1]"},
		"the same, decoded":   {sender.Verify{HMAC: sender.HMAC{SignatureHeader: "X", KeyFormat: "hex"}, Keys: secrets(strings.Repeat("ab", 16), strings.Repeat("AB", 16))}, "verify.keys"},
		"no body in template": {sender.Verify{HMAC: sender.HMAC{SignatureHeader: "X", ContentTemplate: "{timestamp}"}, Keys: secrets(secretA)}, "verify.hmac.content_template"},
	} {
		c.v.Scheme = "hmac"
		_, err := verify.Open(c.v, verify.Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		fields := map[string]bool{}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			field, _, _ := strings.Cut(line, ": ")
			fields[field] = true
			if leaks(line, secretA, secretB) != "" {
				t.Errorf("%s: %s", name, line)
			}
		}
		for want := range strings.SplitSeq(c.want, ",") {
			if !fields[want] {
				t.Errorf("%s: no fault of %s in %v", name, want, err)
			}
		}
		if strings.HasPrefix(c.want, "verify.keys") && len(fields) != strings.Count(c.want, ",")+1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
