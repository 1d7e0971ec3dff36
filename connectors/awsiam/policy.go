package awsiam

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
)

// allPowerful tells whether a policy document, URL-encoded as IAM gives it (RFC 3986), makes an administrator: it allows
// everything, or what of IAM is the same in the end. A document that cannot be read counts as one that does.
func allPowerful(encoded string) bool {
	text, err := url.PathUnescape(encoded)
	if err != nil {
		return true
	}
	var document struct{ Statement oneOrMany[statement] }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return true
	}
	return slices.ContainsFunc(document.Statement, statement.rules)
}

// statement is what matters of one statement of a policy.
type statement struct {
	Effect            string
	Action, NotAction oneOrMany[string]
	Resource          oneOrMany[string]
	NotResource       oneOrMany[string]
}

// takes are the actions by which their holder can give himself every other, or sign in as somebody who has it.
var takes = []string{"iam:addusertogroup", "iam:attachuserpolicy", "iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:putuserpolicy",
	"iam:putgrouppolicy", "iam:putrolepolicy", "iam:createpolicyversion", "iam:setdefaultpolicyversion", "iam:updateassumerolepolicy",
	"iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile"}

// rules tells whether a statement makes an administrator. Conditions are not reckoned with.
func (s statement) rules() bool {
	if s.Effect != "Allow" || len(s.NotResource) == 0 && !slices.ContainsFunc(s.Resource, others) {
		return false
	}
	return len(s.NotAction) > 0 || slices.ContainsFunc(s.Action, func(pattern string) bool {
		return slices.ContainsFunc(takes, func(action string) bool {
			match, err := path.Match(strings.ToLower(pattern), action) // actions have no slash, so * is any text, as in IAM
			return match || err != nil
		})
	})
}

// others tells whether a resource can be a user, group, role or policy of IAM beside the holder's own user: what everybody
// may do with his own password and keys makes nobody an administrator.
func others(resource string) bool {
	if strings.Contains(resource, "${aws:username}") || strings.Contains(resource, "${aws:userid}") {
		return false
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 { // * or arn:aws:iam::*
		return strings.HasSuffix(resource, "*") && (len(parts) < 3 || service(parts[2]))
	}
	return service(parts[2]) && !strings.HasPrefix(parts[5], "mfa/") && !strings.HasPrefix(parts[5], "server-certificate/")
}

// service tells whether the part of an ARN that names the service can be iam.
func service(pattern string) bool {
	match, err := path.Match(pattern, "iam")
	return match || err != nil
}

// oneOrMany is what IAM policies may write as one value or as a list of them.
type oneOrMany[T any] []T

// UnmarshalJSON takes either form.
func (o *oneOrMany[T]) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]T)(o))
	}
	var one T
	err := json.Unmarshal(text, &one)
	*o = []T{one}
	return err
}
