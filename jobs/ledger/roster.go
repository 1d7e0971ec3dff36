package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"sort"
	"sync"
)

// roster holds the keys of all accounts in one piece of memory, where to look for any part, however short, takes a
// millisecond for a hundred thousand of them. An index of trigrams would cost each new account some twenty entries, and
// not help with one or two letters. It is filled by the first search for a part, and learns what is new before each use.
type roster struct {
	// news lists accounts: what to ask with next time, whether the account may be listed again then, its id and its key.
	news string

	mu    sync.Mutex
	next  int64          // what to ask with
	again map[int64]bool // ids that may be listed again
	text  []byte         // keys, each with rosterEnd behind it
	ends  []int          // where each key ends
	ids   []int64        // of the keys, in the same order
}

// rosterEnd is no byte of UTF-8, so no part can reach over two keys.
const rosterEnd = 0xff

// newRoster makes an empty one.
func newRoster(news string) *roster { return &roster{news: news, again: map[int64]bool{}} }

// find gives the ids of the accounts whose key holds a part, at most limit+1 of them: more means that there are more.
func (r *roster) find(ctx context.Context, q queryer, part string, limit int) ([]int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, q); err != nil {
		return nil, err
	}
	var found []int64
	want := []byte(part)
	for at := 0; len(found) <= limit; {
		// On the usual processors this compares many bytes at a time; nothing that a database could do comes near.
		i := bytes.Index(r.text[at:], want)
		if i < 0 {
			break
		}
		k := sort.SearchInts(r.ends, at+i)
		found = append(found, r.ids[k])
		at = r.ends[k] + 1
	}
	return found, nil
}

// refresh adds what is new. The snapshot of this search may be older than that of the last one, and then shows less; so
// what is known to be listed again is forgotten only when the list begins later.
func (r *roster) refresh(ctx context.Context, q queryer) error {
	next, again := r.next, map[int64]bool{}
	err := eachRow(ctx, q, r.news, func(s scanner) error {
		var id sql.NullInt64
		var key sql.NullString
		var twice sql.NullBool
		if err := s.Scan(&next, &twice, &id, &key); err != nil || !id.Valid {
			return err
		}
		if twice.Bool {
			again[id.Int64] = true
		}
		if r.again[id.Int64] {
			return nil
		}
		r.text = append(append(r.text, key.String...), rosterEnd)
		r.ends = append(r.ends, len(r.text)-1)
		r.ids = append(r.ids, id.Int64)
		return nil
	}, r.next)
	if err != nil {
		r.reset() // a list that broke off would be added twice
		return err
	}
	if next > r.next {
		r.next, r.again = next, again
	} else {
		maps.Copy(r.again, again)
	}
	return nil
}

// forget must be called after accounts were deleted: their names do not stay in memory.
func (r *roster) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reset()
}

func (r *roster) reset() { r.next, r.again, r.text, r.ends, r.ids = 0, map[int64]bool{}, nil, nil, nil }
