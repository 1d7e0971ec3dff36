package jobs

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Subject stands for what two requests must have in common for one reset to do for both: the system, the way in which the
// password is forced, and the account. Sixteen bytes of SHA-256 are enough, as they are for idempotency keys.
type Subject [16]byte

func newSubject(parts ...string) Subject {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return Subject(h.Sum(nil))
}

// askedFor is the subject of an account as a sender names it. Names in different letter case are different subjects: some
// systems tell them apart. Those that do not will find one identity.
func askedFor(system string, mode schemas.Mode, a schemas.Account) Subject {
	return newSubject("account", system, string(mode), string(a.Type), a.Value)
}

// foundAs is the subject of the one account that the system found.
func foundAs(system string, mode schemas.Mode, id schemas.Identity) Subject {
	return newSubject("identity", system, string(mode), id.ID)
}

// followed begins the name of the queue of those that wait for an enforcement of another task. No worker serves such a
// queue: the end of that enforcement empties it.
const followed = "follow-"

// FollowQueue names the queue of those that wait for the end of an enforcement.
func FollowQueue(enforcement string) string { return followed + enforcement }

// FollowQueues gives the bounds between which the names of all those queues lie, neither of which is one.
func FollowQueues() (above, below string) { return followed, followed[:len(followed)-1] + "." }

func isFollowQueue(queue string) bool { return strings.HasPrefix(queue, followed) }
