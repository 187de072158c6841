package main

import (
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

type purse struct {
	mu  sync.Mutex
	sum int
}

var moved atomic.Int64

func move(from, to *purse, n int) {
	from.mu.Lock()
	defer from.mu.Unlock()
	time.Sleep(200 * time.Microsecond)
	to.mu.Lock()
	defer to.mu.Unlock()
	from.sum -= n
	to.sum += n
	moved.Add(1)
}

func main() {
	ps := make([]*purse, 6)
	for i := range ps {
		ps[i] = &purse{sum: 100}
	}
	for i := 0; i < envInt("PEOPLE", 30); i++ {
		go func() {
			for {
				a := rand.Intn(6)
				b := (a + 1 + rand.Intn(5)) % 6
				move(ps[a], ps[b], 1)
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for range time.Tick(50 * time.Millisecond) {
		_ = moved.Load()
	}
}
