// Command tapestry weaves patterns: now and then a large one, from many threads that are laid out in memory first, and
// in between it serves small cuttings of what was woven.
package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	row     = 16 << 10
	cutting = 256
)

// cloth is what is kept of a pattern.
type cloth struct {
	name string
	edge [cutting]byte
	sum  uint32
}

// loom holds the rows of the pattern that is being woven.
type loom struct {
	rows [][]byte
}

func (l *loom) lay(n int) {
	for i := 0; i < n; i++ {
		r := make([]byte, row)
		for at := 0; at < row; at += 1024 {
			r[at] = byte(i + at)
		}
		l.rows = append(l.rows, r)
	}
}

// weave goes over all rows, and keeps little of them.
func (l *loom) weave(name string) *cloth {
	c := &cloth{name: name}
	for _, r := range l.rows {
		c.sum = crc32.Update(c.sum, crc32.IEEETable, r[:64])
	}
	copy(c.edge[:], l.rows[len(l.rows)/2])
	return c
}

type workshop struct {
	shown atomic.Pointer[cloth]
	count atomic.Int64
}

// order weaves a pattern of some megabytes.
func (s *workshop) order(megabytes int) {
	var l loom
	l.lay(megabytes << 20 / row)
	c := l.weave(fmt.Sprintf("pattern %d", s.count.Add(1)))
	s.shown.Store(c)
	l = loom{}
	runtime.GC()
}

func (s *workshop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.shown.Load()
	if c == nil {
		http.Error(w, "nothing is woven yet", http.StatusNotFound)
		return
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, "%s %08x\n%x\n", c.name, c.sum, c.edge)
	io.Copy(w, &page)
}

// look asks for a cutting again and again.
func look(url string, pause time.Duration) {
	for range time.Tick(pause) {
		resp, err := http.Get(url)
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// resident is what the system counts as this process's memory, in bytes.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &workshop{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, s)) }()
	go look("http://"+ln.Addr().String(), 40*time.Millisecond)
	size, pause := envInt("MEGABYTES", 200), time.Duration(envInt("PAUSE_S", 60))*time.Second
	go func() {
		for {
			s.order(size)
			time.Sleep(pause)
		}
	}()
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %d MB lower-is-better\n", resident()>>20)
	}
}
