// Command assembly moves frames through stages that are joined by short channels. The last stage sets the pace.
package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"hash/adler32"
	"io"
	"log"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type frame struct {
	seq   int
	data  []byte
	check uint32
}

type line struct {
	frames sync.Pool
	done   atomic.Int64
}

func (l *line) source(out chan<- *frame, size int) {
	rng := rand.New(rand.NewSource(1))
	pattern := make([]byte, size)
	for i := range pattern {
		pattern[i] = byte(rng.Intn(16))
	}
	for seq := 0; ; seq++ {
		f := l.frames.Get().(*frame)
		f.seq = seq
		f.data = append(f.data[:0], pattern...)
		out <- f
	}
}

func (l *line) sign(in <-chan *frame, out chan<- *frame) {
	for f := range in {
		f.check = adler32.Checksum(f.data)
		out <- f
	}
}

func (l *line) pack(in <-chan *frame, out chan<- *frame) {
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		log.Fatal(err)
	}
	for f := range in {
		packed.Reset()
		z.Reset(&packed)
		z.Write(f.data)
		z.Close()
		f.data = append(f.data[:0], packed.Bytes()...)
		out <- f
	}
}

// deliver is the slowest stage: its receiver takes a frame every few milliseconds.
func (l *line) deliver(in <-chan *frame, w io.Writer, pace time.Duration) {
	for f := range in {
		w.Write(f.data)
		time.Sleep(pace)
		l.done.Add(1)
		l.frames.Put(f)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	l := &line{}
	l.frames.New = func() any { return new(frame) }
	raw, signed, packed := make(chan *frame, 4), make(chan *frame, 4), make(chan *frame, 4)
	go l.source(raw, envInt("SIZE_KB", 64)<<10)
	for i := 0; i < 2; i++ {
		go l.sign(raw, signed)
		go l.pack(signed, packed)
	}
	go l.deliver(packed, io.Discard, time.Duration(envInt("PACE_MS", 3))*time.Millisecond)
	last := int64(0)
	for range time.Tick(time.Second) {
		now := l.done.Load()
		fmt.Printf("figure frames %d per_s higher-is-better\n", now-last)
		last = now
	}
}
