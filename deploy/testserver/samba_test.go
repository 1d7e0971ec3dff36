package testserver

import (
	"strings"
	"testing"
)

func TestSambaIsADomainControllerWithPeople(t *testing.T) {
	s := Samba(t)
	jdoe := s.Person(JDoe)
	conn, err := s.Connect("jdoe@resetd.test", jdoe.Password)
	if err != nil {
		t.Fatalf("jdoe cannot sign in: %v", err)
	}
	_ = conn.Close()
	if said, ok := s.Kinit(t.Context(), JDoe, jdoe.Password); !ok {
		t.Errorf("kinit of jdoe: %s", said)
	}
	if said, ok := s.Kinit(t.Context(), JDoe, "wrong"); ok || !strings.Contains(said, "incorrect") {
		t.Errorf("kinit with a wrong password: %t, %s", ok, said)
	}
	for _, name := range []string{s.ServiceName, s.ReaderName} {
		password := map[string]string{s.ServiceName: s.ServicePassword, s.ReaderName: s.ReaderPassword}[name]
		conn, err := s.Connect(name, password)
		if err != nil {
			t.Fatalf("%s cannot sign in: %v", name, err)
		}
		_ = conn.Close()
	}
	for _, name := range []string{Alice, Bob, Twin1, Twin2, Vera, NoExpiry, SmartCard, Disabled, Fixed, Chief, Nested, Former, Operator, Robot, Computer, Long, Alias} {
		if got, err := s.Values(s.Person(name).DN, "sAMAccountName"); err != nil || len(got) != 1 || string(got[0]) != name {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestSambasRunSideBySideAndComeBackWithTheirData(t *testing.T) {
	one, two := Samba(t), Samba(t)
	if one.Address == two.Address {
		t.Fatal("two servers have one address")
	}
	if err := one.Restart(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*SambaServer{one, two} {
		if _, err := s.Values(s.Person(JDoe).DN, "objectGUID"); err != nil {
			t.Errorf("%s: %v", s.Address, err)
		}
	}
}
