package testserver

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// PasswordWrites counts, for every entry, the successful operations that
// changed its userPassword since the server was made, whoever sent them and by
// whatever operation. The keys are DNs in lower case; entries that were never
// changed are absent. A write that a client has an answer to is counted.
func (s *SlapdServer) PasswordWrites() (map[string]int, error) {
	content, err := os.ReadFile(s.AuditLog)
	if err != nil {
		return nil, fmt.Errorf("reading slapd's audit log: %w", err)
	}
	writes := map[string]int{}
	var record []string
	for _, line := range unfold(string(content)) {
		switch {
		case strings.HasPrefix(line, "# end "):
			// Only complete records count: the last one may be half written.
			if dn, changed := passwordChange(record); changed {
				writes[dn]++
			}
			record = nil
		case line != "" && line[0] != '#':
			record = append(record, line)
		}
	}
	return writes, nil
}

// unfold splits LDIF into lines and joins those that a leading space continues
// (RFC 2849, note 2).
func unfold(text string) []string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, " "); ok && len(lines) > 0 {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// passwordChange reads one change record: the entry's DN in lower case, and
// whether userPassword is among what a "modify" touches.
func passwordChange(record []string) (dn string, changed bool) {
	modify := false
	for _, line := range record {
		name, value := attribute(line)
		switch strings.ToLower(name) {
		case "dn":
			dn = strings.ToLower(value)
		case "changetype":
			modify = value == "modify"
		case "add", "replace", "delete":
			changed = changed || strings.EqualFold(value, "userPassword")
		}
	}
	return dn, modify && changed
}

// attribute splits a line of LDIF at its colon; two colons mark base64.
func attribute(line string) (name, value string) {
	name, value, _ = strings.Cut(line, ":")
	if encoded, ok := strings.CutPrefix(value, ":"); ok {
		if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded)); err == nil {
			return name, string(decoded)
		}
	}
	return name, strings.TrimSpace(value)
}
