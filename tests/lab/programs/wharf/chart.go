package main

import (
	"log"
	"math/rand"
	"sync"
	"time"
)

// report is one position, as a ship sends it every few seconds.
type report struct {
	ship     int
	lat, lon float64
}

// chart holds the last position of each ship.
type chart struct {
	mu    sync.Mutex
	last  map[int]report
	times map[int]int
}

func newChart() *chart {
	return &chart{last: make(map[int]report), times: make(map[int]int)}
}

func (c *chart) put(r report) {
	c.mu.Lock()
	c.last[r.ship] = r
	c.times[r.ship]++
	c.mu.Unlock()
}

// seen is how many times a ship has reported.
func (c *chart) seen(ship int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times[ship]
}

// follow puts a station's reports on the chart, and says so when the station has gone quiet.
func (c *chart) follow(station int, reports <-chan report, quiet time.Duration) {
	for {
		select {
		case r := <-reports:
			c.put(r)
		case <-time.After(quiet):
			log.Printf("station %d: nothing for %v", station, quiet)
		}
	}
}

// transmit is a station at the shore, which passes on what it receives in the rhythm of its radio.
func transmit(reports chan<- report, seed int64, rate int) {
	rng := rand.New(rand.NewSource(seed))
	each := rate / 100
	for range time.Tick(10 * time.Millisecond) {
		for i := 0; i < each; i++ {
			reports <- report{rng.Intn(2000), 53 + rng.Float64(), 8 + rng.Float64()}
		}
	}
}
