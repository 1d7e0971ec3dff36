package ledger

import "sync"

// recent keeps what was used lately, between limit and twice limit entries, in two generations: when the young one is
// full it becomes the old one, and what is found there is young again. That is nearly least recently used, without a
// list to maintain. It is safe for concurrent use.
type recent[V any] struct {
	mu         sync.Mutex
	limit      int
	young, old map[string]V
}

// newRecent makes one that keeps at least limit entries.
func newRecent[V any](limit int) *recent[V] {
	return &recent[V]{limit: limit, young: make(map[string]V)}
}

func (r *recent[V]) get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.young[key]
	if ok {
		return v, true
	}
	if v, ok = r.old[key]; ok {
		r.store(key, v)
	}
	return v, ok
}

func (r *recent[V]) put(key string, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store(key, v)
}

func (r *recent[V]) drop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, key)
	delete(r.old, key)
}

func (r *recent[V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.young, r.old = make(map[string]V), nil
}

// store puts an entry among the young; the caller holds the lock.
func (r *recent[V]) store(key string, v V) {
	if len(r.young) >= r.limit {
		r.old, r.young = r.young, make(map[string]V, r.limit)
	}
	r.young[key] = v
}
