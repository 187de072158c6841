//go:build go1.23

package main

import "iter"

func count(yield func(int) bool) {
	for i := 0; i < 20; i++ {
		if !yield(i) {
			return
		}
	}
}

func init() {
	more = append(more, func() {
		next, stop := iter.Pull(count)
		for i := 0; i < 10; i++ {
			next()
		}
		stop()
		next, stop = iter.Pull(count)
		for _, ok := next(); ok; _, ok = next() {
		}
		stop()
	})
}
