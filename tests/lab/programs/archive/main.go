// Command archive checks the digests of stored documents with as many workers as there are Ps.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

type document struct {
	id   int
	body []byte
}

type verdict struct {
	id     int
	digest [sha256.Size]byte
}

// check hashes a document as often as the archive's format asks for.
func check(d document) verdict {
	sum := sha256.Sum256(d.body)
	for round := 0; round < 4; round++ {
		h := sha256.New()
		h.Write(sum[:])
		h.Write(d.body)
		h.Sum(sum[:0])
	}
	return verdict{d.id, sum}
}

type archive struct {
	documents chan document
	verdicts  chan verdict
	bytes     atomic.Int64
	checked   atomic.Int64
}

// read hands out documents from a small set of buffers, in a fixed order.
func (a *archive) read(size int) {
	rng := rand.New(rand.NewSource(3))
	bodies := make([][]byte, 64)
	for i := range bodies {
		bodies[i] = make([]byte, size/2+rng.Intn(size))
		rng.Read(bodies[i])
	}
	for id := 0; ; id++ {
		a.documents <- document{id, bodies[id%len(bodies)]}
	}
}

func (a *archive) work() {
	for d := range a.documents {
		v := check(d)
		a.bytes.Add(int64(len(d.body)))
		a.verdicts <- v
	}
}

func (a *archive) write(w io.Writer) {
	var row [8 + sha256.Size]byte
	for v := range a.verdicts {
		binary.LittleEndian.PutUint64(row[:], uint64(v.id))
		copy(row[8:], v.digest[:])
		w.Write(row[:])
		a.checked.Add(1)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	a := &archive{documents: make(chan document, 8), verdicts: make(chan verdict, 8)}
	go a.read(envInt("SIZE_KB", 512) << 10)
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go a.work()
	}
	go a.write(io.Discard)

	last := int64(0)
	for range time.Tick(time.Second) {
		now := a.checked.Load()
		fmt.Printf("figure documents %d per_s higher-is-better\n", now-last)
		last = now
	}
}
