// Command keyring searches large primes for keys in the background and signs small messages that come in.
package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/bits"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

func mulMod(a, b, m uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, rem := bits.Div64(hi%m, lo, m)
	return rem
}

func powMod(base, exp, m uint64) uint64 {
	result := uint64(1)
	for base %= m; exp > 0; exp >>= 1 {
		if exp&1 == 1 {
			result = mulMod(result, base, m)
		}
		base = mulMod(base, base, m)
	}
	return result
}

// probablyPrime is the Miller-Rabin test with the bases that settle 64 bits.
func probablyPrime(n uint64) bool {
	if n%2 == 0 {
		return n == 2
	}
	d, s := n-1, 0
	for d%2 == 0 {
		d, s = d/2, s+1
	}
witness:
	for _, a := range [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37} {
		x := powMod(a, d, n)
		if x == 1 || x == n-1 {
			continue
		}
		for i := 1; i < s; i++ {
			if x = mulMod(x, x, n); x == n-1 {
				continue witness
			}
		}
		return false
	}
	return true
}

// snippet:start
// search returns, among the candidates below start, the prime with the widest gap above it.
func search(start uint64, candidates int) (best uint64) {
	var widest, last uint64
	for n := start | 1; candidates > 0; n -= 2 {
		candidates--
		if !probablyPrime(n) {
			continue
		}
		if last != 0 && last-n > widest {
			widest, best = last-n, n
		}
		last = n
	}
	return best
}

// snippet:end

type message struct {
	due  time.Time
	text string
}

type signer struct {
	inbox  chan message
	outbox chan message
	key    atomic.Uint64
	done   atomic.Int64
	lateNs atomic.Int64
}

func (s *signer) sign() {
	for m := range s.inbox {
		h := fnv.New64a()
		io.WriteString(h, m.text)
		m.text = strconv.FormatUint(h.Sum64()^s.key.Load(), 16)
		s.outbox <- m
	}
}

func (s *signer) post() {
	for m := range s.outbox {
		s.lateNs.Add(int64(time.Since(m.due)))
		s.done.Add(1)
	}
}

func (s *signer) receive(rate int) {
	period := time.Second / time.Duration(rate)
	i := 0
	for due := time.Now().Add(period); ; due = due.Add(period) {
		time.Sleep(time.Until(due))
		s.inbox <- message{due, "message " + strconv.Itoa(i)}
		i++
	}
}

// renew looks for keys for ever, in several goroutines at once.
func (s *signer) renew(rng *rand.Rand, candidates int) {
	found := make(chan uint64)
	for {
		searches := runtime.GOMAXPROCS(0)
		for i := 0; i < searches; i++ {
			start := rng.Uint64() | 1<<63
			go func() { found <- search(start, candidates) }()
		}
		for i := 0; i < searches; i++ {
			s.key.Store(<-found)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &signer{inbox: make(chan message, 16), outbox: make(chan message, 16)}
	for i := 0; i < envInt("CONCURRENCY", 3); i++ {
		go s.sign()
	}
	go s.post()
	go s.receive(envInt("RATE", 200))
	go s.renew(rand.New(rand.NewSource(31)), envInt("CANDIDATES", 1_600_000))
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.done.Load(), s.lateNs.Load()
		if n > lastN {
			fmt.Printf("figure signing_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
