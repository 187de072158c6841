// Command motifs counts short patterns in a long sequence, while probes come in and must be filed at once.
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

// tally is what one counting run is about: how often each pair of bytes occurs, and whether the run has ended.
type tally struct {
	pairs [1 << 16]uint32
	ended atomic.Bool
}

// snippet:start
// count goes over data the given number of times.
func count(data []byte, times int, t *tally) {
	for ; times > 0; times-- {
		prev := data[0]
		for rest := data[1:]; len(rest) > 0; {
			n := min(len(rest), 1<<17) // well under a millisecond, then the others may run
			for _, b := range rest[:n] {
				t.pairs[uint16(prev)<<8|uint16(b)]++
				prev = b
			}
			rest = rest[n:]
			runtime.Gosched()
		}
	}
	t.ended.Store(true)
}

// snippet:end

type probe struct {
	due  time.Time
	code uint64
}

type lab struct {
	probes, filed chan probe
	done          atomic.Int64
	lateNs        atomic.Int64
	shelves       [32]int
}

func (l *lab) arrive(rate int) {
	period := time.Second / time.Duration(rate)
	rng := rand.New(rand.NewSource(21))
	for due := time.Now().Add(period); ; due = due.Add(period) {
		time.Sleep(time.Until(due))
		l.probes <- probe{due, rng.Uint64()}
	}
}

func (l *lab) label() {
	for p := range l.probes {
		p.code ^= p.code >> 33
		l.filed <- p
	}
}

func (l *lab) file() {
	for p := range l.filed {
		l.shelves[p.code%uint64(len(l.shelves))]++
		l.lateNs.Add(int64(time.Since(p.due)))
		l.done.Add(1)
	}
}

func sequence(n int) []byte {
	data := make([]byte, n)
	rand.New(rand.NewSource(22)).Read(data)
	for i := range data {
		data[i] = "ACGT"[data[i]&3]
	}
	return data
}

// study starts a run on each P and looks every now and then whether they have ended.
func (l *lab) study(data []byte, times int) {
	runs := make([]*tally, runtime.GOMAXPROCS(0))
	for round := 0; ; round++ {
		for i := range runs {
			runs[i] = new(tally)
			go count(data, times, runs[i])
		}
		for _, t := range runs {
			for !t.ended.Load() {
				time.Sleep(50 * time.Millisecond)
			}
		}
		fmt.Fprintln(os.Stderr, "round", round, "AC:", runs[0].pairs['A'<<8|'C'])
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	l := &lab{probes: make(chan probe, 8), filed: make(chan probe, 8)}
	for i := 0; i < 3; i++ {
		go l.label()
	}
	go l.file()
	go l.arrive(envInt("RATE", 150))
	go l.study(sequence(16<<20), envInt("TIMES", 150))
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := l.done.Load(), l.lateNs.Load()
		if n > lastN {
			fmt.Printf("figure filing_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
