// Command shelves moves boxes in a store house. Who moves some locks the shelf that they come from, and then the other.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type shelf struct {
	mu    sync.Mutex
	boxes int
}

type store struct {
	shelves []*shelf
	moved   atomic.Int64
}

func (s *store) move(from, to *shelf) {
	from.mu.Lock()
	defer from.mu.Unlock()
	weigh()
	to.mu.Lock()
	defer to.mu.Unlock()
	if from.boxes > 0 {
		from.boxes--
		to.boxes++
	}
	s.moved.Add(1)
}

// weigh takes a moment, in which another may come.
func weigh() {
	for i := 0; i < 200; i++ {
		runtime.Gosched()
	}
}

func (s *store) work(pause time.Duration, seed int64) {
	random := rand.New(rand.NewSource(seed))
	for {
		from, to := random.Intn(len(s.shelves)), random.Intn(len(s.shelves))
		if from != to {
			s.move(s.shelves[from], s.shelves[to])
		}
		time.Sleep(pause)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &store{}
	for i := 0; i < envInt("SHELVES", 24); i++ {
		s.shelves = append(s.shelves, &shelf{boxes: 100})
	}
	for i := 0; i < envInt("CONCURRENCY", 32); i++ {
		go s.work(5*time.Millisecond, int64(i))
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := s.moved.Load()
		fmt.Printf("figure moves %d per_s higher-is-better\n", now-last)
		last = now
	}
}
