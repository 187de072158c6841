// Command tally counts words of a text stream into shards, each with a lock of its own.
package main

import (
	"fmt"
	"hash/maphash"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const shards = 64

type shard struct {
	sync.Mutex
	counts map[string]int
}

type tally struct {
	seed   maphash.Seed
	shards [shards]shard
	lines  atomic.Int64
}

func newTally() *tally {
	t := &tally{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].counts = make(map[string]int)
	}
	return t
}

func (t *tally) add(word string) {
	s := &t.shards[maphash.String(t.seed, word)%shards]
	s.Lock()
	s.counts[word]++
	s.Unlock()
}

func (t *tally) distinct() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.Lock()
		n += len(s.counts)
		s.Unlock()
	}
	return n
}

// read splits lines into words; the words are parts of the line, nothing is copied.
func (t *tally) read(lines <-chan []string) {
	for batch := range lines {
		for _, line := range batch {
			for len(line) > 0 {
				var word string
				word, line, _ = strings.Cut(line, " ")
				t.add(word)
			}
		}
		t.lines.Add(int64(len(batch)))
	}
}

func text(n int) []string {
	rng := rand.New(rand.NewSource(2))
	words := make([]string, 5000)
	for i := range words {
		words[i] = fmt.Sprintf("w%04x", rng.Intn(1<<16))
	}
	lines := make([]string, n)
	for i := range lines {
		parts := make([]string, 20)
		for k := range parts {
			parts[k] = words[rng.Intn(len(words))]
		}
		lines[i] = strings.Join(parts, " ")
	}
	return lines
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	t := newTally()
	lines := make(chan []string, 4)
	for i := 0; i < envInt("CONCURRENCY", 4); i++ {
		go t.read(lines)
	}
	go func() {
		all := text(4000)
		for {
			lines <- all
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := t.lines.Load()
		fmt.Fprintln(os.Stderr, "distinct words:", t.distinct())
		fmt.Printf("figure lines %d per_s higher-is-better\n", now-last)
		last = now
	}
}
