// Command matcher keeps an index of fingerprints, tags new ones as they arrive and pairs up near-duplicates
// in the background.
package main

import (
	"fmt"
	"io"
	"log"
	"math/bits"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const words = 16 // 1,024 bits a fingerprint

type fingerprint [words]uint64

type index struct {
	prints []fingerprint
	best   []match
	rounds atomic.Int64
}

type match struct {
	other int
	bits  int
}

func newIndex(n int) *index {
	rng := rand.New(rand.NewSource(7))
	ix := &index{prints: make([]fingerprint, n), best: make([]match, n)}
	for i := range ix.prints {
		for w := range ix.prints[i] {
			ix.prints[i][w] = rng.Uint64()
		}
	}
	return ix
}

// snippet:start
// pair finds, for each fingerprint of [lo, hi), the one most like it.
func (ix *index) pair(lo, hi int) {
	for i := lo; i < hi; i++ {
		nearest := match{other: -1, bits: words*64 + 1}
		for j := range ix.prints {
			if j == i {
				continue
			}
			if d := distance(&ix.prints[i], &ix.prints[j]); d < nearest.bits {
				nearest = match{other: j, bits: d}
			}
		}
		ix.best[i] = nearest
		runtime.Gosched() // a row is short: let the others run between rows
	}
}

// snippet:end

// distance is the number of bits in which a and b differ.
func distance(a, b *fingerprint) int {
	n := 0
	for w := range a {
		n += bits.OnesCount64(a[w] ^ b[w])
	}
	return n
}

// refresh pairs up the whole index, one goroutine for each P, over and over.
func (ix *index) refresh(pause time.Duration) {
	shards := runtime.GOMAXPROCS(0)
	for {
		var wg sync.WaitGroup
		for s := 0; s < shards; s++ {
			s := s
			wg.Add(1)
			go func() {
				defer wg.Done()
				ix.pair(s*len(ix.prints)/shards, (s+1)*len(ix.prints)/shards)
			}()
		}
		wg.Wait()
		ix.rounds.Add(1)
		time.Sleep(pause)
	}
}

// arrival is a new fingerprint on its way through the tagging stages.
type arrival struct {
	due    time.Time
	print  fingerprint
	bucket int
}

type service struct {
	index    *index
	arrivals chan arrival
	tagged   chan arrival
	buckets  [64]atomic.Int64
	done     atomic.Int64
	lateNs   atomic.Int64
}

// receive lets fingerprints in at a steady rate.
func (s *service) receive(rate int) {
	rng := rand.New(rand.NewSource(11))
	period := time.Second / time.Duration(rate)
	for due := time.Now().Add(period); ; due = due.Add(period) {
		time.Sleep(time.Until(due))
		a := arrival{due: due}
		for w := range a.print {
			a.print[w] = rng.Uint64()
		}
		s.arrivals <- a
	}
}

// tag puts each arrival into its bucket.
func (s *service) tag() {
	for a := range s.arrivals {
		a.bucket = distance(&a.print, &s.index.prints[0]) % len(s.buckets)
		s.tagged <- a
	}
}

func (s *service) acknowledge() {
	for a := range s.tagged {
		s.buckets[a.bucket].Add(1)
		s.lateNs.Add(int64(time.Since(a.due)))
		s.done.Add(1)
	}
}

func (s *service) status(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "tagged", s.done.Load(), "rounds", s.index.rounds.Load())
}

func watch(url string) {
	for range time.Tick(250 * time.Millisecond) {
		resp, err := http.Get(url)
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// report prints the mean time from an arrival's due time to its acknowledgement, second by second.
func (s *service) report() {
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.done.Load(), s.lateNs.Load()
		if n > lastN {
			fmt.Printf("figure tag_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &service{
		index:    newIndex(envInt("PRINTS", 26_000)),
		arrivals: make(chan arrival, 16),
		tagged:   make(chan arrival, 16),
	}
	for i := 0; i < envInt("CONCURRENCY", 4); i++ {
		go s.tag()
	}
	go s.acknowledge()
	go s.receive(envInt("RATE", 200))

	mux := http.NewServeMux()
	mux.HandleFunc("/status", s.status)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	go watch("http://" + ln.Addr().String() + "/status")
	go s.index.refresh(150 * time.Millisecond)
	s.report()
}
