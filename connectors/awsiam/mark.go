package awsiam

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// AWS has no record of a console password's last change that can be asked at once: LoginProfile.CreateDate stays that of
// the first password, and the credential report may be four hours old. So resetd keeps a record of its own in the account, a
// tag of the user: "<stage>:<random>:<random of the last reset that AWS had confirmed>".

// markTag is the tag's key. The policy in the README lets resetd write no other.
const markTag = "resetd-password-reset"

// The stages of a reset, as the tag tells them.
const (
	// stageSent: a password together with the flag is about to be sent, and the flag is off. If the flag is found on
	// afterwards, it came with the password.
	stageSent = "sent"
	// stageBlind: the same, but the flag is on already and proves nothing.
	stageBlind = "blind"
	// stageFlag: the flag is about to be set, without a password.
	stageFlag = "flag"
	// stageSet: AWS has answered that the password and the flag are set.
	stageSet = "set"
)

// mark writes the record.
func (a *account) mark(ctx context.Context, u user, stage string) *schemas.Failure {
	value := stage + ":" + rand.Text() + ":" + confirmed(u.tags[markTag])
	_, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "noting the reset in a tag of " + u.name, Action: "iam:TagUser", Resource: a.users(), Changes: true, Explain: a.explain(u)},
		func(ctx context.Context) (*iam.TagUserOutput, error) {
			return a.iam.TagUser(ctx, &iam.TagUserInput{UserName: &u.name, Tags: []types.Tag{{Key: aws.String(markTag), Value: &value}}})
		})
	return f
}

// confirmed gives the random part of the last reset in a record that AWS had confirmed; empty for none.
func confirmed(record string) string {
	parts := append(strings.Split(record, ":"), "", "")
	if parts[0] == stageSet {
		return parts[1]
	}
	return parts[2]
}

// noted is what a record proves: a reset that was confirmed, or one that may have been made, because the flag is on. An
// attempt that did not set the flag is none.
func noted(record string, mustChange bool) string {
	if stage, _, _ := strings.Cut(record, ":"); stage != stageSet && mustChange {
		return record
	}
	if last := confirmed(record); last != "" {
		return stageSet + ":" + last
	}
	return ""
}

// stageOf reads the stage out of a marker.
func stageOf(marker string) string {
	_, note, _ := strings.Cut(marker, separator)
	stage, _, _ := strings.Cut(note, ":")
	return stage
}

// bornOf reads out of a marker when the first password was set; empty without one.
func bornOf(marker string) string {
	born, _, found := strings.Cut(marker, separator)
	if !found {
		return ""
	}
	return born
}
