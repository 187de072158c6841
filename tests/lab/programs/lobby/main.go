// Command lobby holds players until a game has room for them, each for some minutes at the most.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type player struct {
	number int
	called chan int
}

// wait stands in the lobby until the player is called or gives up.
func (p *player) wait(patience time.Duration, played, gone *atomic.Int64) {
	select {
	case <-p.called:
		played.Add(1)
	case <-time.After(patience):
		gone.Add(1)
	}
}

// host keeps the lobby full and calls the first ones in line.
func host(places, games int, patience time.Duration, played, gone *atomic.Int64) {
	line := make(chan *player, places)
	number := 0
	enter := func() {
		number++
		p := &player{number, make(chan int, 1)}
		line <- p
		go p.wait(patience, played, gone)
	}
	for i := 0; i < places; i++ {
		enter()
	}
	for range time.Tick(10 * time.Millisecond) {
		for i := 0; i < games; i++ {
			p := <-line
			p.called <- p.number
			enter()
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
	var played, gone atomic.Int64
	go host(envInt("PLACES", 40000), envInt("GAMES", 4), 5*time.Minute, &played, &gone)
	last := int64(0)
	for range time.Tick(time.Second) {
		now := played.Load()
		fmt.Printf("figure players %d per_s higher-is-better\n", now-last)
		last = now
	}
}
