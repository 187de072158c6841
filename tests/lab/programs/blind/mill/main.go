// Command mill grinds readings of weather stations into means by the hour: batches of lines go through reading,
// parsing and summing, each stage with as many hands as it needs, and come back to be filled again.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// batch is a piece of text with the readings that were found in it.
type batch struct {
	text  []byte
	found []reading
}

type reading struct {
	station, hour int
	celsius       float64
}

type key struct{ station, hour int }

type mean struct {
	sum   float64
	count int
}

// fill writes lines into a batch as a file would hold them.
func (b *batch) fill(n, lines int) {
	b.text = b.text[:0]
	for i := 0; i < lines; i++ {
		at := n*lines + i
		b.text = strconv.AppendInt(b.text, int64(at%120), 10)
		b.text = strconv.AppendInt(append(b.text, ';'), int64(at/120%24), 10)
		b.text = strconv.AppendFloat(append(b.text, ';'), float64(at%400)/10-8, 'f', 1, 64)
		b.text = append(b.text, '\n')
	}
}

func (b *batch) parse() error {
	b.found = b.found[:0]
	for rest := b.text; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		station, line, _ := bytes.Cut(line, []byte{';'})
		hour, celsius, _ := bytes.Cut(line, []byte{';'})
		s, err := strconv.Atoi(string(station))
		if err != nil {
			return err
		}
		h, err := strconv.Atoi(string(hour))
		if err != nil {
			return err
		}
		c, err := strconv.ParseFloat(string(celsius), 64)
		if err != nil {
			return err
		}
		b.found = append(b.found, reading{s, h, c})
	}
	return nil
}

type stage func(in <-chan *batch, out chan<- *batch)

// hands runs a stage several times over, and closes its output when all are through.
func hands(n int, in <-chan *batch, work stage) <-chan *batch {
	out := make(chan *batch, 2)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer wg.Done()
			work(in, out)
		}()
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	return out
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	lines, parsers := envInt("LINES", 2000), envInt("PARSERS", 2)
	empty := make(chan *batch, 8)
	for i := 0; i < cap(empty); i++ {
		empty <- &batch{}
	}
	var ground, dropped atomic.Int64
	n := 0 // of the one who fills
	full := hands(1, empty, func(in <-chan *batch, out chan<- *batch) {
		for b := range in {
			b.fill(n, lines)
			n++
			out <- b
		}
	})
	parsed := hands(parsers, full, func(in <-chan *batch, out chan<- *batch) {
		for b := range in {
			if b.parse() != nil {
				dropped.Add(1)
				continue
			}
			out <- b
		}
	})
	go func() {
		means := map[key]mean{}
		for b := range parsed {
			for _, r := range b.found {
				k := key{r.station, r.hour}
				m := means[k]
				means[k] = mean{m.sum + r.celsius, m.count + 1}
			}
			ground.Add(int64(len(b.found)))
			empty <- b
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := ground.Load()
		fmt.Printf("figure lines %.3f M/s higher-is-better\n", float64(now-last)/1e6)
		last = now
	}
}
