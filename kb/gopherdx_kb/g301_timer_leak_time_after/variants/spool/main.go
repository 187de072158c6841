// Command spool collects readings of many meters and writes them out in batches: when a batch is full, or when it has
// lain for a while.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

type reading struct {
	meter uint32
	value uint32
}

// writer writes one shard's batches.
type writer struct {
	in      chan reading
	out     io.Writer
	batch   []byte
	full    int
	flushed *atomic.Int64
}

func (w *writer) add(r reading) {
	w.batch = binary.BigEndian.AppendUint32(w.batch, r.meter)
	w.batch = binary.BigEndian.AppendUint32(w.batch, r.value)
}

func (w *writer) flush() {
	if len(w.batch) == 0 {
		return
	}
	w.batch = binary.BigEndian.AppendUint32(w.batch, crc32.ChecksumIEEE(w.batch))
	w.out.Write(w.batch)
	w.batch = w.batch[:0]
	w.flushed.Add(1)
}

// snippet:start
func (w *writer) run(linger time.Duration, stop <-chan struct{}) {
	for {
		select {
		case r := <-w.in:
			w.add(r)
			if len(w.batch) >= w.full {
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

// heapMB is what the heap's objects take.
func heapMB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / (1 << 20)
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
		fmt.Printf("figure heap_in_use %.1f MB lower-is-better\n", heapMB())
	}
}
