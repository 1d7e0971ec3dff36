package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

func TestPlaybookResetsAPasswordAndGoesOn(t *testing.T) {
	p := perform(t, nil)
	who := p.slapd.Person(testserver.JDoe)
	if _, err := p.slapd.Bind(who.DN, who.Password); err != nil {
		t.Fatalf("the old password does not bind before: %v", err)
	}
	heard := p.alert(who.Mail, "INC0012345")
	asked := p.out.next(t)
	if status := asked.let(t); status != http.StatusAccepted {
		t.Fatalf("resetd answers the playbook with HTTP %d\n%s", status, p.log)
	}
	run := <-heard
	if run.State != "waiting" || run.Task == "" {
		t.Fatalf("the playbook answers the alert with %+v", run)
	}
	told := p.back.next(t)
	if status, _ := p.call(http.MethodGet, "/playbook/runs/"+run.Run, playbookToken, nil); status != http.StatusOK {
		t.Fatalf("the run is shown with HTTP %d", status)
	}
	p.refusesForgeries(run, told)
	if status := told.let(t); status != http.StatusNoContent {
		t.Fatalf("the playbook answers the true callback with HTTP %d", status)
	}
	end := p.reaches(run.Run, "done")
	if end.Status != string(schemas.StatusSuccessful) || end.Code != string(schemas.CodeOK) || end.Task != run.Task || end.Told != told.header.Get(signature.HeaderID) {
		t.Errorf("the playbook ends with %+v; the callback was %s", end, told.header.Get(signature.HeaderID))
	}
	if _, err := p.slapd.Bind(who.DN, who.Password); err == nil {
		t.Error("the old password still binds")
	}
	if reset, err := p.slapd.Values(who.DN, "pwdReset"); err != nil || strings.Join(reset, "") != "TRUE" {
		t.Errorf("pwdReset is %v, %v", reset, err)
	}

	if status := p.knock("", told.header, told.body); status != http.StatusNoContent {
		t.Errorf("the same callback once more gives HTTP %d; resetd may send it twice", status)
	}
	// The same alert once more: the same id, the same bytes, another time and signature; and no second reset.
	heard = p.alert(who.Mail, "INC0012345")
	again := p.out.next(t)
	if status := again.let(t); status != http.StatusAccepted {
		t.Errorf("resetd answers the second request with HTTP %d", status)
	}
	if id := again.header.Get(signature.HeaderID); id == "" || id != asked.header.Get(signature.HeaderID) || !bytes.Equal(again.body, asked.body) {
		t.Errorf("the second request is %s with %s, the first was %s with %s", id, again.body, asked.header.Get(signature.HeaderID), asked.body)
	}
	if second := <-heard; second.Task != run.Task || second.State != "done" {
		t.Errorf("the second alert gives %+v, the first gave %+v", second, run)
	}
	if after := p.show(run.Run); after != end {
		t.Errorf("the run changed after its end from %+v to %+v", end, after)
	}
	if n := p.writes(who.DN); n != 1 {
		t.Errorf("the directory counted %d writes", n)
	}
}

// refusesForgeries posts everything that looks like the true callback and is none. Nothing of it moves the run on.
func (p *playbook) refusesForgeries(run playbookRun, told *post) {
	t, id := p.t, told.header.Get(signature.HeaderID)
	t.Helper()
	sign := func(key signature.Key, at time.Duration) http.Header {
		h := told.header.Clone()
		s, err := signature.Sign([]signature.Key{key}, id, time.Now().Add(at), told.body)
		if err != nil {
			t.Fatal(err)
		}
		s.Set(h)
		return h
	}
	with := func(name string, values ...string) http.Header {
		h := told.header.Clone()
		h[name] = values
		return h
	}
	// Its own fields signed by the right key, which resetd would never send.
	odd := func(id, at string) http.Header {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.CallbackKey.Reveal(), "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + at + "." + string(told.body)))
		return http.Header{signature.HeaderID: {id}, signature.HeaderTimestamp: {at}, signature.HeaderSignature: {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	one := bytes.Clone(told.body)
	one[len(one)-2] ^= 1
	mac := told.header.Get(signature.HeaderSignature)
	for name, c := range map[string]struct {
		path   string
		header http.Header
		body   []byte
	}{
		"signed with another key":        {"", sign(signature.GenerateSymmetric(), 0), told.body},
		"signed with the playbook's key": {"", sign(p.Key, 0), told.body},
		"replayed after six minutes":     {"", sign(p.CallbackKey, -6*time.Minute), told.body},
		"from the future":                {"", sign(p.CallbackKey, 6*time.Minute), told.body},
		"one byte changed":               {"", told.header, one},
		"another status":                 {"", told.header, bytes.ReplaceAll(told.body, []byte("successful"), []byte("cancelled"))},
		"one byte more":                  {"", told.header, append(bytes.Clone(told.body), '\n')},
		"written again":                  {"", told.header, bytes.Replace(told.body, []byte(`":`), []byte(`": `), 1)},
		"no body":                        {"", told.header, nil},
		"another id":                     {"", with(signature.HeaderID, id+"1"), told.body},
		"the id twice":                   {"", with(signature.HeaderID, id, id), told.body},
		"another time":                   {"", with(signature.HeaderTimestamp, strconv.FormatInt(time.Now().Unix()+1, 10)), told.body},
		"no time":                        {"", with(signature.HeaderTimestamp), told.body},
		"a time that is none":            {"", odd(id, "NaN"), told.body},
		"a time with a fraction":         {"", odd(id, now+".5"), told.body},
		"an id with a full stop":         {"", odd(id+"."+now, now), told.body},
		"no signature":                   {"", with(signature.HeaderSignature), told.body},
		"an empty signature":             {"", with(signature.HeaderSignature, "v1,"), told.body},
		"a signature cut short":          {"", with(signature.HeaderSignature, mac[:len(mac)-4]), told.body},
		"another version":                {"", with(signature.HeaderSignature, "v1a"+strings.TrimPrefix(mac, "v1")), told.body},
		"the signature twice":            {"", with(signature.HeaderSignature, mac, mac), told.body},
		"at an address not read raw":     {"/Playbook/Callback", told.header, told.body},
	} {
		if status := p.knock(c.path, c.header, c.body); status != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d", name, status)
		}
		if got := p.show(run.Run); got.State != "waiting" || got.Told != "" {
			t.Fatalf("%s: it moved the run on to %+v", name, got)
		}
	}
	// Genuine, but about a task of somebody else's.
	other := bytes.ReplaceAll(told.body, []byte(run.Task), []byte("00000000-0000-7000-8000-000000000000"))
	s, err := signature.Sign([]signature.Key{signature.GenerateSymmetric(), p.CallbackKey}, "cb_other_1", time.Now(), other)
	if err != nil {
		t.Fatal(err)
	}
	h := told.header.Clone()
	s.Set(h)
	if status := p.knock("", h, other); status != http.StatusNoContent {
		t.Errorf("a true callback about another task, signed with a new key and an old one: HTTP %d", status)
	}
	if got := p.show(run.Run); got.State != "waiting" {
		t.Fatalf("another task's callback moved the run on to %+v", got)
	}
}

// A callback may arrive before the answer to the request that it is about.
func TestPlaybookHearsACallbackThatIsQuickerThanTheAnswer(t *testing.T) {
	p := perform(t, nil)
	p.out.hold = make(chan struct{})
	heard := p.alert("nobody@example.com", "INC1")
	p.out.next(t).let(t) // resetd has answered; the playbook has not heard it yet
	status := p.back.next(t).let(t)
	close(p.out.hold)
	run := <-heard
	if status != http.StatusNoContent || run.Task == "" {
		t.Errorf("the callback is answered with HTTP %d, the alert with %+v", status, run)
	}
	end := p.reaches(run.Run, "needs_person")
	if end.Status != string(schemas.StatusUnsuccessful) || end.Code != string(schemas.CodeAccountNotFound) || end.Detail == "" {
		t.Errorf("an account that does not exist ends the playbook with %+v", end)
	}
}

func TestPlaybookGoesToItsErrorBranch(t *testing.T) {
	p := perform(t, map[string]string{"RESETD_KEY": signature.GenerateSymmetric().Reveal()})
	who := p.slapd.Person(testserver.JDoe)
	heard := p.alert(who.Mail, "INC1")
	if status := p.out.next(t).let(t); status != http.StatusUnauthorized {
		t.Errorf("resetd answers a wrong key with HTTP %d", status)
	}
	run := <-heard
	if run.State != "not_accepted" || !strings.Contains(run.Error, "401: no_match") || p.show(run.Run).Error != run.Error {
		t.Errorf("a wrong key gives %+v", run)
	}
	if err := p.process.Stop(); err != nil {
		t.Fatal(err)
	}
	heard = p.alert(who.Mail, "INC2")
	close(p.out.next(t).pass)
	if run := <-heard; run.State != "not_accepted" || !strings.Contains(run.Error, "cannot be reached") {
		t.Errorf("without resetd the alert gives %+v", run)
	}
	for name, c := range map[string]struct {
		token string
		alert any
		want  int
	}{
		"another token": {"another", map[string]string{"account": who.Mail, "reference": "INC3"}, http.StatusUnauthorized},
		"no token":      {"", map[string]string{"account": who.Mail, "reference": "INC3"}, http.StatusUnauthorized},
		"no account":    {playbookToken, map[string]string{"reference": "INC3"}, http.StatusBadRequest},
		"no reference":  {playbookToken, map[string]string{"account": who.Mail}, http.StatusBadRequest},
		"a list":        {playbookToken, map[string]any{"account": []string{who.Mail}, "reference": "INC3"}, http.StatusBadRequest},
		"an empty list": {playbookToken, []string{}, http.StatusBadRequest},
	} {
		if status, run := p.call(http.MethodPost, "/playbook/alerts", c.token, c.alert); status != c.want || run.Error == "" {
			t.Errorf("%s: HTTP %d, %+v", name, status, run)
		}
	}
	for path, want := range map[string]int{"/playbook/runs/" + run.Run: http.StatusUnauthorized, "/playbook/runs/constructor": http.StatusUnauthorized} {
		if status, _ := p.call(http.MethodGet, path, "another", nil); status != want {
			t.Errorf("GET %s with another token: HTTP %d", path, status)
		}
	}
	if status, _ := p.call(http.MethodGet, "/playbook/runs/constructor", playbookToken, nil); status != http.StatusNotFound {
		t.Errorf("a run that is none: HTTP %d", status)
	}
	if n := p.writes(who.DN); n != 0 {
		t.Errorf("the directory counted %d writes", n)
	}
	select {
	case <-p.out.posts:
		t.Error("an alert that was refused went out to resetd")
	default:
	}
}

// A person tries the task again in resetd: it ends once more, and the playbook hears of it. What was told before and comes
// late, or twice, moves nothing back.
func TestPlaybookHearsHowATaskEndsThatWasTriedAgain(t *testing.T) {
	p := perform(t, nil)
	p.command(exitOK, "systems", "withdraw", "corp-ldap", "--reason", "INC7")
	heard := p.alert(testserver.Alice, "INC1")
	p.out.next(t).let(t)
	run, refused := <-heard, p.back.next(t)
	refused.let(t)
	if first := p.reaches(run.Run, "needs_person"); first.Code != string(schemas.CodePermissionMissing) {
		t.Errorf("without the permission the run is %+v", first)
	}
	p.command(exitOK, "systems", "grant", "corp-ldap", "--reason", "CHG1")
	p.command(exitOK, "tasks", "retry", run.Task)
	p.back.next(t).let(t)
	end := p.reaches(run.Run, "done")
	if end.Code != string(schemas.CodeOK) || end.Told == refused.header.Get(signature.HeaderID) {
		t.Errorf("after the retry the run is %+v", end)
	}
	if status := p.knock("", refused.header, refused.body); status != http.StatusNoContent {
		t.Errorf("the first callback once more gives HTTP %d", status)
	}
	// Another one is carried through to its end, so that the one before it must have been.
	heard = p.alert("nobody@example.com", "INC2")
	p.out.next(t).let(t)
	other := <-heard
	p.back.next(t).let(t)
	p.reaches(other.Run, "needs_person")
	if after := p.show(run.Run); after != end {
		t.Errorf("an old callback moved the run from %+v to %+v", end, after)
	}
}

// What had failed because resetd was away goes through when the alert is posted again.
func TestPlaybookGoesOnWhenResetdIsBack(t *testing.T) {
	p := perform(t, nil)
	if err := p.process.Stop(); err != nil {
		t.Fatal(err)
	}
	heard := p.alert(testserver.Alice, "INC1")
	close(p.out.next(t).pass)
	first := <-heard
	p.start()
	heard = p.alert(testserver.Alice, "INC1")
	p.out.next(t).let(t)
	run := <-heard
	if first.State != "not_accepted" || run.Run != first.Run || run.Task == "" {
		t.Fatalf("first %+v, then %+v", first, run)
	}
	p.back.next(t).let(t)
	if end := p.reaches(run.Run, "done"); end.Error != "" {
		t.Errorf("the end still tells of the first attempt: %+v", end)
	}
}

// Without its keys the playbook does nothing: least of all does it take an empty text for one.
func TestPlaybookWithoutKeysTrustsNobody(t *testing.T) {
	p := perform(t, map[string]string{"RESETD_CALLBACK_KEY": ""})
	status, run := p.call(http.MethodPost, "/playbook/alerts", playbookToken, map[string]string{"account": testserver.Alice, "reference": "INC1"})
	if status != http.StatusInternalServerError || !strings.Contains(run.Error, "RESETD_CALLBACK_KEY") {
		t.Errorf("an alert gives HTTP %d, %+v", status, run)
	}
	body, now := []byte(`{"data":{"id":"x","status":"successful"}}`), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte("cb_1." + now + "." + string(body)))
	if status := p.knock("", http.Header{"Webhook-Id": {"cb_1"}, "Webhook-Timestamp": {now},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}, body); status != http.StatusInternalServerError {
		t.Errorf("a callback signed with no key gives HTTP %d", status)
	}
}
