package jobs

import "sync"

// each runs a function for every entry, up to so many hands at a time, and waits for all.
func each[T any](all []T, hands int, do func(T)) {
	var wg sync.WaitGroup
	next := make(chan T)
	for range min(hands, len(all)) {
		wg.Go(func() {
			for one := range next {
				do(one)
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	wg.Wait()
}
