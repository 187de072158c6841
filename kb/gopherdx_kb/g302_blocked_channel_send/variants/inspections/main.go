// Command inspections checks batches of parts with a pool of workers for each batch, until one part fails.
package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type part struct {
	id     int
	grains []byte
}

type outcome struct {
	part int
	err  error
}

var errCrack = errors.New("crack")

// inspect looks at one part.
func inspect(p part) outcome {
	h := fnv.New64a()
	h.Write(p.grains)
	if h.Sum64()%8 == 0 {
		return outcome{p.id, errCrack}
	}
	return outcome{p.id, nil}
}

type plant struct {
	passed, failed atomic.Int64
	parts          atomic.Int64
}

// snippet:start
// batch inspects the parts and stops at the first that fails.
func (pl *plant) batch(parts []part, workers int) error {
	todo := make(chan part, len(parts))
	for _, p := range parts {
		todo <- p
	}
	close(todo)
	outcomes := make(chan outcome)
	for i := 0; i < workers; i++ {
		go pl.station(todo, outcomes)
	}
	for range parts {
		if o := <-outcomes; o.err != nil {
			return fmt.Errorf("part %d: %w", o.part, o.err)
		}
	}
	return nil
}

func (pl *plant) station(todo <-chan part, outcomes chan<- outcome) {
	for p := range todo {
		outcomes <- inspect(p)
		pl.parts.Add(1)
	}
}

// snippet:end

func delivery(rng *rand.Rand, n, size int) []part {
	parts := make([]part, n)
	for i := range parts {
		parts[i] = part{rng.Int(), make([]byte, size)}
		rng.Read(parts[i].grains)
	}
	return parts
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	pl := &plant{}
	period := time.Second / time.Duration(envInt("RATE", 60))
	var lines sync.WaitGroup
	for i := 0; i < 2; i++ {
		i := i
		lines.Add(1)
		go func() {
			defer lines.Done()
			rng := rand.New(rand.NewSource(int64(i)))
			for range time.Tick(period) {
				if err := pl.batch(delivery(rng, 20, 4<<10), 4); err != nil {
					pl.failed.Add(1)
				} else {
					pl.passed.Add(1)
				}
			}
		}()
	}
	// The gate opens at night; its keepers wait.
	gate := make(chan struct{})
	for i := 0; i < 5; i++ {
		go func() { <-gate }()
	}
	go func() {
		for range time.Tick(time.Second) {
			fmt.Printf("figure goroutines %d count lower-is-better\n", runtime.NumGoroutine())
			fmt.Fprintln(os.Stderr, "parts:", pl.parts.Load(), "passed:", pl.passed.Load(), "failed:", pl.failed.Load())
		}
	}()
	lines.Wait()
}
