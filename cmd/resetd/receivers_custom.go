package main

// customExample is what the page of the format custom shows below its URL.
const customExample = `  auth: {scheme: header, header: X-Api-Key, secret: "${RECEIVER_SECRET}"}   # or bearer, basic (with a user), url, none
  template:
    reference: "[0-9]{1,9}"
    reference_is: "the number of the ticket, such as 4711"
    requests:
      - {name: note, url: "/tickets/{reference}/notes", body: {text: "{details}", private: true}}
      - {name: close, method: PATCH, url: "/tickets/{reference}", body: {state: closed}, when: [successful]}
`

// customTerms explains a template of one's own.
const customTerms = `reference: the form of a reference (RE2, the whole text) of which the requests can make use; needed if one holds {reference}. A task with another is told to nobody.
text: the markup that the receiver reads: plain (default), html, slack, jira-wiki, servicenow or code. limit: how many characters {details} may have.
requests: made in this order. method is POST by default; url is path and query below callback.url; body becomes JSON; when lists the statuses that it is made for, or final; expect is what the answer must hold.
take: makes a GET a question; what it takes from the answer is {taken:NAME} in the requests behind it: take: {owner: {from: owner.id, form: "[0-9]+"}}.
hints: what to do about an answer, by its status: {"404": "is the ticket still there?"}.
In url and headers: {reference}, {task_id}, {event_id}, {source}, {status}, {version}, {param:NAME}; in a body also {task_url}, {type}, {status_text}, {final}, {code}, {account}, {account_type}, {description}, {systems}, {summary}, {details}, {results}, {time}, {time_unix}, {dry_run} and {task}, which is the whole. {{ and }} are braces.`
