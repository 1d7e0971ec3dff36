package format

import (
	"time"

	"github.com/resetd/resetd/schemas"
)

// The media types of the formats that are no template.
const (
	TypeStandard    = "application/json"
	TypeCloudEvents = "application/cloudevents+json"
)

// Standard gives resetd's own message.
func Standard(e Event) ([]byte, error) { return schemas.Encode(e.Task.Message()) }

// cloudType begins the type of a CloudEvent. The specification asks for the reverse of a name that belongs to who defines
// the type.
const cloudType = "com.github.resetd."

// cloudEvent is a CloudEvent 1.0 in the JSON format.
type cloudEvent struct {
	SpecVersion     string       `json:"specversion"`
	ID              string       `json:"id"`
	Source          string       `json:"source"`
	Type            string       `json:"type"`
	Subject         string       `json:"subject"`
	Time            time.Time    `json:"time"`
	DataContentType string       `json:"datacontenttype"`
	Data            schemas.Task `json:"data"`
}

// CloudEvent gives the message as a CloudEvent 1.0 in structured JSON mode. Its id is the callback's, so that source and
// id together are the same for every attempt; its subject is the task's id; its data is the task.
func CloudEvent(e Event) ([]byte, error) {
	m := e.Task.Message()
	return schemas.Encode(cloudEvent{SpecVersion: "1.0", ID: e.ID, Source: e.Public + "/v1/hooks/" + m.Data.Source, Type: cloudType + m.Type,
		Subject: m.Data.ID, Time: m.Timestamp.UTC(), DataContentType: TypeStandard, Data: m.Data})
}
