package queue

import (
	"reflect"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestURLsAreReadAndShownWithoutCredentials(t *testing.T) {
	secret := schemas.NewSecret
	for raw, want := range map[string]struct {
		t    target
		show string
	}{
		"embedded":             {target{kind: embedded}, "embedded"},
		"redis://h":            {target{kind: single, hosts: []string{"h:6379"}}, "redis://h:6379/0"},
		"redis://h:1/":         {target{kind: single, hosts: []string{"h:1"}}, "redis://h:1/0"},
		"redis://[::1]":        {target{kind: single, hosts: []string{"[::1]:6379"}}, "redis://[::1]:6379/0"},
		"redis://[::1]:7/3":    {target{kind: single, hosts: []string{"[::1]:7"}, db: 3}, "redis://[::1]:7/3"},
		"redis://:pw@h/2":      {target{kind: single, hosts: []string{"h:6379"}, db: 2, password: secret("pw")}, "redis://h:6379/2"},
		"redis://u:p%2Fw%40@h": {target{kind: single, hosts: []string{"h:6379"}, user: "u", password: secret("p/w@")}, "redis://h:6379/0"},
		"redis://u:p@w:x@h":    {target{kind: single, hosts: []string{"h:6379"}, user: "u", password: secret("p@w:x")}, "redis://h:6379/0"},
		"rediss://u@h?tls_ca=/etc/ca.pem&tls_server_name=n": {
			target{kind: single, hosts: []string{"h:6379"}, user: "u", tls: true, ca: "/etc/ca.pem", serverName: "n"}, "rediss://h:6379/0"},
		"redis+sentinel://u:pw@h1,h2:9/main/4?sentinel_user=su&sentinel_password=s%26p": {
			target{kind: sentinel, hosts: []string{"h1:26379", "h2:9"}, master: "main", db: 4, user: "u", password: secret("pw"),
				sentinelUser: "su", sentinelPassword: secret("s&p")},
			"redis+sentinel://h1:26379,h2:9/main/4"},
		"rediss+sentinel://h1/main":  {target{kind: sentinel, hosts: []string{"h1:26379"}, master: "main", tls: true}, "rediss+sentinel://h1:26379/main/0"},
		"redis+cluster://:pw@h1,h2/": {target{kind: cluster, hosts: []string{"h1:6379", "h2:6379"}, password: secret("pw")}, "redis+cluster://h1:6379,h2:6379"},
		"rediss+cluster://h1/0":      {target{kind: cluster, hosts: []string{"h1:6379"}, tls: true}, "rediss+cluster://h1:6379"},
	} {
		got, err := parse(raw, schemas.Secret{})
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got.password.Reveal() != want.t.password.Reveal() || got.sentinelPassword.Reveal() != want.t.sentinelPassword.Reveal() {
			t.Errorf("%s: wrong passwords", raw)
		}
		got.password, got.sentinelPassword = want.t.password, want.t.sentinelPassword // pointers differ
		if !reflect.DeepEqual(got, want.t) {
			t.Errorf("%s: got %+v, want %+v", raw, got, want.t)
		}
		if show, err := Describe(raw); err != nil || show != want.show {
			t.Errorf("%s: shown as %q, %v", raw, show, err)
		}
	}
}

func TestBadURLsAreRefusedWithoutRepeatingThem(t *testing.T) {
	for _, raw := range []string{
		"", "redis", "redis:", "redis://", "http://hunter2@h", "hunter2", "redis://u:hunter2@", "redis://u:hunter2@h:x",
		"redis://u:hunter2@h:0", "redis://u:hunter2@h:65536", "redis://u:hunter2@h/x", "redis://u:hunter2@h/-1",
		"redis://u:hunter2@h1,h2", "redis://u:hunter2@,h", "redis://u:hunter2%zz@h", "redis://u:hun/ter2@h", "redis://u:hun?ter2@h",
		"redis://u:hun#ter2@h", "redis://h?password=hunter2", "redis://h?tls_ca=hunter2", "rediss://h?tls_ca=a&tls_ca=hunter2",
		"redis://u:hunter2 @h h", "redis+sentinel://u:hunter2@h", "redis+sentinel://u:hunter2@h/", "redis+sentinel://h/m?sentinel_password=%hunter2",
		"redis+cluster://u:hunter2@h/1", "redis+cluster://h?sentinel_password=hunter2", "redis://u:hunter2@h:1:2", "redis://hunter2::h",
	} {
		for _, password := range []schemas.Secret{{}, schemas.NewSecret("hunter3")} {
			_, err := parse(raw, password)
			if err == nil {
				t.Errorf("%q: no error", raw)
				continue
			}
			for _, part := range []string{"hunter", "ter2", "%zz"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%q: the error repeats it: %v", raw, err)
				}
			}
			if !strings.Contains(err.Error(), "queue") {
				t.Errorf("%q: the error does not say what it is about: %v", raw, err)
			}
		}
	}
}

func TestAPasswordMayBeGivenApart(t *testing.T) {
	got, err := parse("redis://u@h", schemas.NewSecret("pw"))
	if err != nil || got.user != "u" || got.password.Reveal() != "pw" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, raw := range []string{"redis://u:other@h", "embedded"} {
		if _, err := parse(raw, schemas.NewSecret("pw")); err == nil {
			t.Errorf("%s: no error", raw)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"embedded", "redis://u:p@h:1/2", "redis+sentinel://h1,h2/m/0?sentinel_password=x", "rediss+cluster://[::1]:7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		first, err := parse(raw, schemas.Secret{})
		if err != nil {
			return
		}
		// What is shown can be read again and is the same but for the credentials.
		second, err := parse(first.String(), schemas.Secret{})
		if err != nil {
			t.Fatalf("%q is shown as %q: %v", raw, first, err)
		}
		if second.String() != first.String() {
			t.Errorf("%q is shown as %q and then as %q", raw, first, second)
		}
	})
}
