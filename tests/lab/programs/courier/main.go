// Command courier hands parcels from desks to riders. A desk that finds no rider in time keeps the parcel for later.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type parcel struct {
	number int
	door   string
}

// hand waits for a rider, for a while.
func hand(riders chan<- parcel, p parcel, patience time.Duration) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case riders <- p:
		return true
	case <-late.C:
		return false
	}
}

func desk(number, rate int, riders chan<- parcel, handed *atomic.Int64) {
	n := number
	for range time.Tick(5 * time.Millisecond) {
		for i := 0; i < rate/200; i++ {
			n++
			if hand(riders, parcel{n, "door-" + strconv.Itoa(n%512)}, time.Minute) {
				handed.Add(1)
			}
		}
	}
}

func ride(parcels <-chan parcel) {
	doors := make(map[string]int)
	for p := range parcels {
		doors[p.door] = p.number
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	var handed atomic.Int64
	riders := make(chan parcel)
	for i := 0; i < 3; i++ {
		go ride(riders)
	}
	desks := envInt("DESKS", 4)
	for i := 0; i < desks; i++ {
		go desk(i*1000000, envInt("RATE", 20000)/desks, riders, &handed)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := handed.Load()
		fmt.Printf("figure parcels %d per_s higher-is-better\n", now-last)
		last = now
	}
}
