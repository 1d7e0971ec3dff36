package ledger

import (
	"bytes"
	"context"
	"sort"
	"sync"
)

// accountFinder finds accounts by a part of their key. It gives at most limit+1 ids: more means that there are more.
type accountFinder interface {
	find(ctx context.Context, q queryer, part string, limit int) ([]int64, error)
	// contains is the SQL condition that the account of the task t has a key with $<arg> in it.
	contains(arg string) string
	// forget must be called after accounts were deleted.
	forget()
}

// roster holds the keys of all accounts in one piece of memory, where looking for any part, however short, takes a
// millisecond for a hundred thousand of them; an index of trigrams would cost each new account some twenty entries, and
// not help for one or two letters. It reads what is new before each use. Ids must be given out in the order in which
// they become visible, which holds for the one writer of SQLite.
type roster struct {
	mu   sync.Mutex
	last int64
	text []byte  // keys, each with rosterEnd behind it
	ends []int   // where each key ends
	ids  []int64 // of the keys, in the same order
}

// rosterEnd is no byte of UTF-8, so no part can reach over two keys.
const rosterEnd = 0xff

func (r *roster) find(ctx context.Context, q queryer, part string, limit int) ([]int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, q); err != nil {
		return nil, err
	}
	var found []int64
	want := []byte(part)
	for at, rest := 0, r.text; len(found) <= limit; rest = r.text[at:] {
		i := bytes.Index(rest, want)
		if i < 0 {
			break
		}
		k := sort.SearchInts(r.ends, at+i)
		found = append(found, r.ids[k])
		at = r.ends[k] + 1
	}
	return found, nil
}

func (r *roster) refresh(ctx context.Context, q queryer) error {
	return eachRow(ctx, q, "SELECT id, key FROM accounts WHERE id > $1 ORDER BY id", func(s scanner) error {
		var id int64
		var key string
		if err := s.Scan(&id, &key); err != nil {
			return err
		}
		r.text = append(append(r.text, key...), rosterEnd)
		r.ends = append(r.ends, len(r.text)-1)
		r.ids = append(r.ids, id)
		r.last = id
		return nil
	}, r.last)
}

func (*roster) contains(arg string) string {
	return "instr((SELECT a.key FROM accounts a WHERE a.id = t.account), " + arg + ") > 0"
}

func (r *roster) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.text, r.ends, r.ids = 0, nil, nil, nil
}
