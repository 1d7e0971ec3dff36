package awsapi

import "fmt"

// Grant writes the policy statement that gives resetd what it lacks, ready to be pasted.
func Grant(action, resource string) string {
	if resource == "" {
		resource = "*"
	}
	return fmt.Sprintf(`grant resetd's user or role: {"Effect": "Allow", "Action": %q, "Resource": %q}; `+
		"if that is there, look for a Deny, a permissions boundary or a service control policy", action, resource)
}
