// Command beacons has many senders that report every few milliseconds, unless news comes first.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type news struct{ from int }

// beacon reports its state again and again.
func beacon(number int, every time.Duration, in <-chan news, reports chan<- [2]int) {
	state := 0
	for {
		select {
		case n := <-in:
			state ^= n.from
		case <-time.After(every):
			reports <- [2]int{number, state}
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
	reports := make(chan [2]int, 256)
	var taken atomic.Int64
	var last [4096]int
	go func() {
		for r := range reports {
			last[r[0]%len(last)] = r[1]
			taken.Add(1)
		}
	}()
	var inbox []chan news
	every := time.Duration(envInt("EVERY_MS", 20)) * time.Millisecond
	for i := 0; i < envInt("BEACONS", 300); i++ {
		in := make(chan news)
		inbox = append(inbox, in)
		go beacon(i, every, in, reports)
	}
	go func() {
		n := 0
		for range time.Tick(2 * time.Millisecond) {
			for i := 0; i < 12; i++ {
				n++
				inbox[n*7%len(inbox)] <- news{n}
			}
		}
	}()
	before := int64(0)
	for range time.Tick(time.Second) {
		now := taken.Load()
		fmt.Printf("figure reports %d per_s higher-is-better\n", now-before)
		before = now
	}
}
