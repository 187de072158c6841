// Command turnstiles counts who goes through the turnstiles of a stadium. All of them share one board, with one lock
// that nobody holds for longer than it takes to add a number.
package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"sync"
	"time"
)

type entrance struct {
	inside  int
	touched time.Time
}

// board is what the hall shows.
type board struct {
	sync.Mutex
	entrances map[string]*entrance
	total     int
}

func newBoard(names []string) *board {
	b := &board{entrances: make(map[string]*entrance, len(names))}
	for _, name := range names {
		b.entrances[name] = &entrance{}
	}
	return b
}

// pass counts one more.
func (b *board) pass(name string, now time.Time) {
	b.Lock()
	e := b.entrances[name]
	e.inside++
	e.touched = now
	b.total++
	b.Unlock()
}

func (b *board) count() int {
	b.Lock()
	defer b.Unlock()
	return b.total
}

// valid looks closely at a ticket.
func valid(ticket []byte, rounds int) bool {
	h := fnv.New64a()
	for i := 0; i < rounds; i++ {
		h.Write(ticket)
	}
	return h.Sum64() != 0
}

// turnstile lets people through, some milliseconds apart.
func turnstile(b *board, name string, pause time.Duration, rounds int) {
	for n := 0; ; n++ {
		ticket := strconv.AppendInt([]byte(name), int64(n), 10)
		if valid(ticket, rounds) {
			b.pass(name, time.Now())
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
	count := envInt("TURNSTILES", 200)
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("gate %c/%d", 'A'+i%8, i)
	}
	b := newBoard(names)
	for i, name := range names {
		go turnstile(b, name, time.Duration(envInt("PAUSE_MS", 8)+i%5)*time.Millisecond, envInt("ROUNDS", 300))
	}
	last := 0
	for range time.Tick(time.Second) {
		now := b.count()
		fmt.Printf("figure passed %d per_s higher-is-better\n", now-last)
		last = now
	}
}
