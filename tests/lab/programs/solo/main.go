// Command solo plays many small games at once on a single P: work is always waiting for it.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

type board [64]int8

// play makes random moves until the board is full or a row is won.
func (b *board) play(rng *rand.Rand) int {
	side := int8(1)
	for turn := 0; turn < len(b); turn++ {
		at := rng.Intn(len(b))
		for b[at] != 0 {
			at = (at + 1) % len(b)
		}
		b[at] = side
		if b.won(at/8, side) {
			return turn
		}
		side = -side
	}
	return len(b)
}

func (b *board) won(row int, side int8) bool {
	run := 0
	for _, c := range b[row*8 : row*8+8] {
		if c != side {
			run = 0
			continue
		}
		if run++; run == 5 {
			return true
		}
	}
	return false
}

type club struct {
	tables chan int64
	turns  atomic.Int64
	games  atomic.Int64
}

func (c *club) table() {
	for seed := range c.tables {
		rng := rand.New(rand.NewSource(seed))
		for i := 0; i < 200; i++ {
			var b board
			c.turns.Add(int64(b.play(rng)))
			c.games.Add(1)
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	c := &club{tables: make(chan int64, 8)}
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go c.table()
	}
	go func() {
		for seed := int64(0); ; seed++ {
			c.tables <- seed
		}
	}()
	fmt.Fprintln(os.Stderr, "Ps:", runtime.GOMAXPROCS(0))
	last := int64(0)
	for range time.Tick(time.Second) {
		now := c.games.Load()
		fmt.Printf("figure games %d per_s higher-is-better\n", now-last)
		last = now
	}
}
