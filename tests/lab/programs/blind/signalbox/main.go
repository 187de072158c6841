// Command signalbox passes on what track circuits report to the panels that show it. A panel that hears nothing for a
// while tells its circuit that it is still there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

type report struct {
	circuit  int
	occupied bool
}

// circuit is one piece of track.
type circuit struct {
	number  int
	reports chan report
	alive   chan int
}

type panel struct {
	from    *circuit
	silence time.Duration
	lamps   map[int]bool
	shown   *atomic.Int64
}

var (
	errQuiet = errors.New("nothing reported")
	errShut  = errors.New("the box is shut")
)

// await returns the next report.
func (p *panel) await(ctx context.Context) (report, error) {
	select {
	case r := <-p.from.reports:
		return r, nil
	case <-time.After(p.silence):
		return report{}, errQuiet
	case <-ctx.Done():
		return report{}, errShut
	}
}

// run shows reports until the box is shut.
func (p *panel) run(ctx context.Context) {
	for {
		r, err := p.await(ctx)
		switch {
		case errors.Is(err, errShut):
			return
		case err != nil:
			p.from.alive <- p.from.number
		default:
			p.lamps[r.circuit] = r.occupied
			p.shown.Add(1)
		}
	}
}

// watch sends what a circuit sees: trains that come and go.
func (c *circuit) watch(ctx context.Context, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for axle := 0; axle < 2; axle++ {
			c.reports <- report{c.number, (n+axle)%2 == 0}
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
	ctx := context.Background()
	silence := time.Duration(envInt("SILENCE_S", 75)) * time.Second
	pace := time.Duration(envInt("PACE_MS", 10)) * time.Millisecond
	alive := make(chan int, 8)
	go func() {
		for range alive {
		}
	}()
	var shown atomic.Int64
	for i := 0; i < envInt("CIRCUITS", 90); i++ {
		c := &circuit{number: i, reports: make(chan report, 2), alive: alive}
		p := &panel{from: c, silence: silence, lamps: map[int]bool{}, shown: &shown}
		go c.watch(ctx, pace)
		go p.run(ctx)
	}
	var m runtime.MemStats
	for range time.Tick(time.Second) {
		runtime.ReadMemStats(&m)
		fmt.Printf("reports %d\n", shown.Load())
		fmt.Printf("figure kept %.2f MB lower-is-better\n", float64(m.HeapAlloc)/(1<<20))
	}
}
