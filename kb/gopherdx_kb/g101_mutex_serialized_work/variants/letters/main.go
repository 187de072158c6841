// Command letters packs the letters of a mailing: many writers, one archive.
package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// archive holds what was written, packed.
type archive struct {
	sync.Mutex
	letters, bytes int
	packed         bytes.Buffer
	out            io.Writer
}

var packers = sync.Pool{New: func() any {
	p, err := flate.NewWriter(io.Discard, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	return p
}}

// pack compresses text into buf.
func pack(buf *bytes.Buffer, text string) error {
	p := packers.Get().(*flate.Writer)
	defer packers.Put(p)
	buf.Reset()
	p.Reset(buf)
	if _, err := io.WriteString(p, text); err != nil {
		return err
	}
	return p.Close()
}

// snippet:start
// add packs one letter and files it.
func (a *archive) add(letter string) error {
	a.Lock()
	defer a.Unlock()
	if err := pack(&a.packed, letter); err != nil {
		return err
	}
	a.letters++
	a.bytes += a.packed.Len()
	_, err := a.packed.WriteTo(a.out)
	return err
}

// snippet:end

func (a *archive) totals() (letters, bytes int) {
	a.Lock()
	defer a.Unlock()
	return a.letters, a.bytes
}

func texts(n, words int) []string {
	rng := rand.New(rand.NewSource(14))
	all := make([]string, n)
	for i := range all {
		var b strings.Builder
		for w := 0; w < words; w++ {
			fmt.Fprintf(&b, "word%d ", rng.Intn(800))
		}
		all[i] = b.String()
	}
	return all
}

// progress answers each connection with one line.
func progress(ln net.Listener, a *archive) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			letters, bytes := a.totals()
			fmt.Fprintln(c, letters, bytes)
		}()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	a := &archive{out: io.Discard}
	queue := make(chan string, 16)
	var failed atomic.Int64
	for i := 0; i < envInt("CONCURRENCY", 10); i++ {
		go func() {
			for letter := range queue {
				if err := a.add(letter); err != nil {
					failed.Add(1)
				}
			}
		}()
	}
	go func() {
		all := texts(100, 4000)
		for i := 0; ; i++ {
			queue <- all[i%len(all)]
		}
	}()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go progress(ln, a)
	go func() {
		for range time.Tick(300 * time.Millisecond) {
			if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
				io.Copy(io.Discard, c)
				c.Close()
			}
		}
	}()
	last := 0
	for range time.Tick(time.Second) {
		now, _ := a.totals()
		fmt.Printf("figure letters %d per_s higher-is-better\n", now-last)
		last = now
	}
}
