// Package receiver is the language of callback formats: which tool hears of a task, by which requests, and how we log in
// there. A preset and a source in the configuration are written in the same words. The types are plain data; what they
// mean is done by jobs/callback/format.
package receiver

import "github.com/resetd/resetd/schemas"

// The formats that are no template: resetd's own message, bare or as a CloudEvent. The empty name is Standard.
const (
	Standard    = "standard"
	CloudEvents = "cloudevents"
)

// Custom is the format of a template that the configuration writes out itself.
const Custom = "custom"

// Spec is what a source's callback settings say of its receiver, beside where it is.
type Spec struct {
	// Format is standard (default), cloudevents, the name of a preset, or custom.
	Format string `yaml:"format" validate:"max=40"`
	// Auth says how we log in; what it leaves open comes from the preset.
	Auth Auth `yaml:"auth"`
	// Params are the values that the preset asks for, or those that a template of one's own uses as {param:NAME}.
	Params map[string]string `yaml:"params" validate:"max=32"`
	// Template belongs to custom.
	Template Template `yaml:"template"`
}

// The ways to log in.
const (
	SchemeNone   = "none"   // not at all
	SchemeBearer = "bearer" // Authorization: Bearer SECRET
	SchemeBasic  = "basic"  // Authorization: Basic, of User and SECRET
	SchemeHeader = "header" // Header: Prefix and SECRET
	SchemeURL    = "url"    // SECRET is the whole URL to call; whoever knows it may post
)

// Auth says how we log in.
type Auth struct {
	Scheme string         `yaml:"scheme" validate:"omitempty,oneof=none bearer basic header url"`
	User   string         `yaml:"user" validate:"max=256"`   // for basic
	Header string         `yaml:"header" validate:"max=128"` // for header
	Prefix string         `yaml:"prefix" validate:"max=64"`  // for header: what stands before the secret, such as "Token "
	Secret schemas.Secret `yaml:"secret"`
}

// Template is the requests that tell a receiver of one status of a task, in their order.
type Template struct {
	// Reference is the form (RE2, the whole text) of a reference of which these requests can make use; empty if they need
	// none. A task whose reference has another form is told to nobody.
	Reference string `yaml:"reference" validate:"max=300"`
	// ReferenceIs says to a person what such a reference is, with an example.
	ReferenceIs string `yaml:"reference_is" validate:"max=200"`
	// Text says which markup the receiver reads, so that nothing in a value becomes markup: plain (default), html, slack,
	// jira-wiki, servicenow or code (within a fenced block of Markdown).
	Text string `yaml:"text" validate:"omitempty,oneof=plain html slack jira-wiki servicenow code"`
	// Limit is the length of {details} in characters, as the receiver counts them; default 4000.
	Limit    int       `yaml:"limit" validate:"omitempty,min=200,max=30000"`
	Requests []Request `yaml:"requests" validate:"max=8,dive"`
	// Hints tell a person what to do about an answer: by its status ("404"), or by what it said (see Request.Said).
	Hints map[string]string `yaml:"hints" validate:"max=64"`
}

// Request is one HTTP request. URL, Headers and Body may hold {placeholders}; {{ and }} are braces.
type Request struct {
	// Name tells the request from the others of its template, in the log of attempts too.
	Name   string `yaml:"name" validate:"max=40"`
	Method string `yaml:"method" validate:"omitempty,oneof=GET POST PUT PATCH"` // default POST
	// URL is path and query below the base URL of the callback; empty: the base itself.
	URL     string            `yaml:"url" validate:"max=1024"`
	Headers map[string]string `yaml:"headers" validate:"max=16"`
	// Body becomes JSON; none: no body.
	Body Tree `yaml:"body"`
	// When lists the task statuses that the request is made for, or final; nothing: all that the source is told.
	When []string `yaml:"when" validate:"max=9,unique"`
	// Needs lists optional params without which the request is left out.
	Needs []string `yaml:"needs" validate:"max=8,unique"`
	// Take makes the request a question (GET): what it takes from the answer is {taken:NAME} in the requests behind it. A
	// question is asked again in every attempt that has something left to do.
	Take map[string]Take `yaml:"take" validate:"max=8"`
	// Expect is what the answer must hold beside a 2xx status: each of these members, with this value; {} is any object. So
	// a log-in page that answers 200 is no success.
	Expect Tree `yaml:"expect"`
	// Said is where the answer names its fault, as dotted path in JSON; nothing: the whole answer is one word.
	Said string `yaml:"said" validate:"max=100"`
}

// Take is one value of an answer.
type Take struct {
	// From is a dotted path; * stands for the one entry of a list, and it is a fault if there are more or less.
	From string `yaml:"from" validate:"required,max=200"`
	// Form is what the value must look like (RE2, the whole text).
	Form string `yaml:"form" validate:"required,max=300"`
}

// Preset is all that is known of a receiver.
type Preset struct {
	Title string `yaml:"title"`
	// Evidence is documented, or general for what is known without the vendor's word for each part.
	Evidence string `yaml:"evidence"`
	// Setup is what to do on the receiver's side, step by step; Notes is what one must know beside.
	Setup []string `yaml:"setup"`
	Notes []string `yaml:"notes"`
	// URL is an example of the base URL; empty where the secret is the URL.
	URL string `yaml:"url"`
	// Auth are the ways to log in, the usual one first.
	Auth     []Auth           `yaml:"auth"`
	Params   map[string]Param `yaml:"params"`
	Template Template         `yaml:"template"`
}

// Param is a value that a preset asks for.
type Param struct {
	About    string `yaml:"about"`
	Form     string `yaml:"form"` // RE2, the whole text
	Default  string `yaml:"default"`
	Required bool   `yaml:"required"`
	// PerStatus means that it is written once for each task status that it has a value for: NAME_successful and so on.
	PerStatus bool `yaml:"per_status"`
}
