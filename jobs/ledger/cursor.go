package ledger

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// cursor is the place in a list, newest first, after which a page begins: a time, and what tells entries of one time
// apart. The number is used for tasks, the id for callbacks.
type cursor struct {
	at int64
	n  int64
	id string
}

// start is before every entry.
func start() cursor { return cursor{at: math.MaxInt64, n: math.MaxInt64, id: "\U0010FFFF"} }

// String gives the form that goes to the client, who need not understand it.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%s", c.at, c.n, c.id))
}

// parseCursor reads what String wrote; empty is the start. Anything else is schemas.ErrCursor.
func parseCursor(s string) (cursor, error) {
	if s == "" {
		return start(), nil
	}
	bad := fmt.Errorf("ledger: %w; take it unchanged from next of the page before, with the same filters, or leave it out", schemas.ErrCursor)
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return cursor{}, bad
	}
	parts := strings.SplitN(string(b), ".", 3)
	if len(parts) != 3 || schemas.CheckText(parts[2], 256, false) != nil {
		return cursor{}, bad
	}
	var c cursor
	var errs [2]error
	c.at, errs[0] = strconv.ParseInt(parts[0], 10, 64)
	c.n, errs[1] = strconv.ParseInt(parts[1], 10, 64)
	c.id = parts[2]
	if errs[0] != nil || errs[1] != nil || c.String() != s {
		return cursor{}, bad
	}
	return c, nil
}

// pageSize bounds what was asked for.
func pageSize(limit int) int {
	if limit <= 0 {
		return schemas.DefaultPage
	}
	return min(limit, schemas.MaxPage)
}
