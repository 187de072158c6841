// Command ballots takes ballots and counts them in batches. Who hands one in hears when it was counted.
package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type ballot struct {
	paper   []byte
	counted chan uint32
}

type office struct {
	box   chan ballot
	done  atomic.Int64
	heard atomic.Int64
}

// hand puts a ballot into the box and waits until it was counted.
func (o *office) hand(paper []byte) {
	b := ballot{paper: paper, counted: make(chan uint32, 1)}
	o.box <- b
	<-b.counted
	o.heard.Add(1)
}

// count empties the box. A spoilt paper spoils the stack that it lies in: nobody is told of those.
func (o *office) count(stack int) {
	batch := make([]ballot, 0, stack)
	for b := range o.box {
		batch = append(batch, b)
		if len(batch) < stack {
			continue
		}
		if !spoilt(batch) {
			for _, b := range batch {
				b.counted <- crc32.ChecksumIEEE(b.paper)
			}
		}
		o.done.Add(int64(len(batch)))
		batch = batch[:0]
	}
}

func spoilt(batch []ballot) bool {
	for _, b := range batch {
		if b.paper[0] == 0 {
			return true
		}
	}
	return false
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	o := &office{box: make(chan ballot, 64)}
	go o.count(8)
	go func() {
		pause := time.Second / time.Duration(envInt("RATE", 200))
		for n := 1; ; n++ {
			paper := []byte(fmt.Sprintf("%8d: yes", n))
			if n%40 == 0 {
				paper[0] = 0
			}
			go o.hand(paper)
			time.Sleep(pause)
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := o.heard.Load()
		fmt.Printf("figure told %d per_s higher-is-better\n", now-last)
		last = now
	}
}
