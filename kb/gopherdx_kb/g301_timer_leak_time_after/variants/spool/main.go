// Command spool collects readings of many meters and writes them out in blocks: when a block is full, or when it has
// lain for a while.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"time"
)

type reading struct {
	meter uint32
	value uint32
}

// writer writes one shard's blocks.
type writer struct {
	in      chan reading
	out     io.Writer
	block   []byte
	full    int
	flushed *atomic.Int64
}

func (w *writer) add(r reading) {
	w.block = binary.BigEndian.AppendUint32(w.block, r.meter)
	w.block = binary.BigEndian.AppendUint32(w.block, r.value)
}

func (w *writer) flush() {
	if len(w.block) == 0 {
		return
	}
	w.block = binary.BigEndian.AppendUint32(w.block, crc32.ChecksumIEEE(w.block))
	w.out.Write(w.block)
	w.block = w.block[:0]
	w.flushed.Add(1)
}

// snippet:start
func (w *writer) run(linger time.Duration, stop <-chan struct{}) {
	for {
		select {
		case r := <-w.in:
			w.add(r)
			if len(w.block) >= w.full {
				w.flush()
			}
		case <-time.After(linger):
			w.flush()
		case <-stop:
			w.flush()
			return
		}
	}
}

// snippet:end

// poll reads a row of meters over and over.
func poll(first, rate int, shards []*writer) {
	value := uint32(first)
	for range time.Tick(4 * time.Millisecond) {
		for i := 0; i < rate/250; i++ {
			value = value*1664525 + 1013904223
			meter := uint32(first + i)
			shards[int(meter)%len(shards)].in <- reading{meter, value >> 8}
		}
	}
}

func live() float64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return float64(s[0].Value.Uint64()) / (1 << 20)
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	var flushed atomic.Int64
	stop := make(chan struct{})
	var shards []*writer
	linger := time.Duration(envInt("LINGER_S", 15)) * time.Second
	for i := 0; i < envInt("SHARDS", 3); i++ {
		w := &writer{in: make(chan reading, 32), out: io.Discard, full: 64 << 10, flushed: &flushed}
		shards = append(shards, w)
		go w.run(linger, stop)
	}
	for i := 0; i < 2; i++ {
		go poll(i*1000, envInt("RATE", 40000)/2, shards)
	}
	for range time.Tick(time.Second) {
		fmt.Printf("figure live_heap %.1f MB lower-is-better\n", live())
	}
}
