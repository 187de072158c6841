// Command rollup keeps a year of readings in memory and folds each new day into monthly figures.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type reading struct {
	station *station
	day     int
	values  []float64
}

type station struct {
	name  string
	north bool
}

type store struct {
	mu       sync.Mutex
	stations []*station
	readings []*reading // ring: the oldest is replaced
	next     int
	monthly  map[string]float64
	days     atomic.Int64
}

func newStore(n int) *store {
	s := &store{monthly: make(map[string]float64), readings: make([]*reading, n)}
	for i := 0; i < 500; i++ {
		s.stations = append(s.stations, &station{fmt.Sprintf("station-%03d", i), i%2 == 0})
	}
	for i := range s.readings {
		s.readings[i] = s.measure(i)
	}
	return s
}

func (s *store) measure(i int) *reading {
	r := &reading{station: s.stations[i%len(s.stations)], day: i / len(s.stations), values: make([]float64, 48)}
	for k := range r.values {
		r.values[k] = float64((i*31+k*7)%400) / 10
	}
	return r
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// fold takes one day of all stations in.
func (s *store) fold(day int) {
	fresh := make([]*reading, len(s.stations))
	for i := range fresh {
		fresh[i] = s.measure(day*len(s.stations) + i)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range fresh {
		s.readings[s.next] = r
		s.next = (s.next + 1) % len(s.readings)
		s.monthly[r.station.name] += mean(r.values) / 30
	}
}

// sample walks over a part of the year, as a chart would.
func (s *store) sample(rng *rand.Rand) float64 {
	s.mu.Lock()
	from := rng.Intn(len(s.readings) - 2000)
	part := append([]*reading(nil), s.readings[from:from+2000]...)
	s.mu.Unlock()
	top := 0.0
	for _, r := range part {
		top = max(top, mean(r.values))
	}
	return top
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := newStore(envInt("READINGS", 500_000))
	go func() {
		for day := 1000; ; day++ {
			s.fold(day)
			s.days.Add(1)
			time.Sleep(1500 * time.Microsecond)
		}
	}()
	go func() {
		rng := rand.New(rand.NewSource(5))
		for range time.Tick(20 * time.Millisecond) {
			s.sample(rng)
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := s.days.Load()
		fmt.Printf("figure days %d per_s higher-is-better\n", now-last)
		last = now
	}
}
