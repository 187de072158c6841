// Command trail reads an access log and sums up durations by customer, with a few workers.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sums holds the seconds that each customer used.
type sums struct {
	mu      sync.Mutex
	seconds map[string]float64
	lines   atomic.Int64
}

func (s *sums) add(part map[string]float64, lines int) {
	s.mu.Lock()
	for customer, seconds := range part {
		s.seconds[customer] += seconds
	}
	s.mu.Unlock()
	s.lines.Add(int64(lines))
}

// snippet:start
// pattern finds what a line says of a key, as in `customer=c17 path="/a b" took=0.031`.
func pattern(key string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|\s)` + regexp.QuoteMeta(key) + `=("[^"]*"|\S+)`)
}

var patterns = map[string]*regexp.Regexp{
	"status": pattern("status"), "took": pattern("took"), "customer": pattern("customer"),
}

// field returns what a line says of one of the keys that there are patterns for.
func field(line, key string) string {
	found := patterns[key].FindStringSubmatch(line)
	if found == nil {
		return ""
	}
	return found[1]
}

// snippet:end

// work takes batches of lines until there are no more.
func (s *sums) work(batches <-chan []string) {
	for lines := range batches {
		part := make(map[string]float64)
		for _, line := range lines {
			if field(line, "status") == "499" {
				continue
			}
			took, err := strconv.ParseFloat(field(line, "took"), 64)
			if err == nil {
				part[field(line, "customer")] += took
			}
		}
		s.add(part, len(lines))
	}
}

// write makes up a batch of lines.
func write(r *rand.Rand, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`2024-05-17T10:%02d:00Z method=GET path="/depots/%d list" status=%d bytes=%d customer=c%d took=%.4f`,
			i%60, r.Intn(900), []int{200, 200, 200, 404, 499}[r.Intn(5)], r.Intn(90000), r.Intn(40), r.Float64())
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
	s := &sums{seconds: make(map[string]float64)}
	r := rand.New(rand.NewSource(1))
	var log [][]string
	for i := 0; i < 50; i++ {
		log = append(log, write(r, 200))
	}
	batches := make(chan []string)
	for i := 0; i < envInt("WORKERS", 3); i++ {
		go s.work(batches)
	}
	go func() {
		for i := 0; ; i++ {
			batches <- log[i%len(log)]
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := s.lines.Load()
		fmt.Printf("figure lines %d per_s higher-is-better\n", now-last)
		last = now
	}
}
