// Command wardrobe sorts garments into lockers. Each keeper owns a row of lockers; a clerk now and then counts them.
package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type row struct {
	mu      sync.Mutex
	lockers [512][]uint32
	hung    int
}

// hang works under the row's lock for a third of its time. Nobody else takes it, but for the clerk now and then.
func (r *row) hang(garment int) {
	mark := label(garment, 800)
	r.mu.Lock()
	defer r.mu.Unlock()
	mark ^= label(int(mark), 400)
	l := &r.lockers[mark%512]
	if len(*l) > 64 {
		*l = (*l)[:0]
	}
	*l = append(*l, mark)
	r.hung++
}

func label(garment, rounds int) uint32 {
	h := fnv.New32a()
	for i := 0; i < rounds; i++ {
		h.Write([]byte{byte(garment), byte(garment >> 8), byte(i)})
	}
	return h.Sum32()
}

func (r *row) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hung
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	rows := make([]*row, envInt("CONCURRENCY", 4))
	for i := range rows {
		r := &row{}
		rows[i] = r
		go func() {
			for garment := 0; ; garment++ {
				r.hang(garment)
				if garment%100 == 0 { // the next load has to be brought
					time.Sleep(500 * time.Microsecond)
				}
			}
		}()
	}
	var total atomic.Int64
	go func() { // the clerk
		for range time.Tick(time.Second / 2) {
			sum := 0
			for _, r := range rows {
				sum += r.count()
			}
			total.Store(int64(sum))
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := total.Load()
		fmt.Printf("figure garments %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
