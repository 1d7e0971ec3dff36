package format

import (
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/schemas/receiver"
)

// The words of a template as a configuration has them, every one of them.
const written = `
format: custom
auth: {scheme: header, header: x-api-key, prefix: "Key ", secret: s3cret}
params: {queue: soc}
template:
  reference: "T-[0-9]{1,9}"
  reference_is: the number of a ticket, such as T-4711
  text: html
  limit: 4000
  hints: {"404": there is no such ticket, locked: somebody has the ticket open}
  requests:
    - name: find
      url: /tickets?number={reference}
      take: {id: {from: "tickets.*.id", form: "[0-9]+"}}
    - name: note
      method: PUT
      url: /tickets/{taken:id}/notes
      headers: {x-queue: "{param:queue}"}
      body: {text: "<pre>{details}</pre>", id: "{event_id}"}
      when: [final]
      needs: [queue]
      expect: {ok: true}
      said: error.code
`

func TestATemplateOfOnesOwnIsWrittenInTheSameWords(t *testing.T) {
	var s receiver.Spec
	if err := yaml.UnmarshalWithOptions([]byte(written), &s, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	f, faults := New(s)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e := sampleEvent()
	e.Task.Request.Reference = "T-4711"
	got := requests(t, f, e, map[string]string{"find": `{"tickets":[{"id":17}]}`})
	if len(got) != 2 || got[0].Address != "/tickets?number=T-4711" || got[1].Address != "/tickets/17/notes" || got[1].Method != "PUT" || got[1].Header.Get("x-queue") != "soc" {
		t.Fatalf("got %+v", got)
	}
	talk, err := f.Talk(e)
	if err != nil {
		t.Fatal(err)
	}
	r := got[1]
	if fault := talk.Verdict(r, []byte(`{"ok":false,"error":{"code":"locked"}}`)); fault == "" || talk.Hint(r, 200, []byte(`{"error":{"code":"locked"}}`)) != "locked: somebody has the ticket open" {
		t.Errorf("got %q", fault)
	}
	if _, err := f.Talk(sampleEvent()); err == nil || err.Error() != `the task's reference "SEC-123" is not the number of a ticket, such as T-4711; correct what the sender puts into the request's reference` {
		t.Errorf("got %v", err)
	}
}
