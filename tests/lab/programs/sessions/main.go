// Command sessions remembers every visitor with what he looked at, and forgets none.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type visit struct {
	page string
	body []byte
}

type store struct {
	mu  sync.Mutex
	all map[string][]visit
}

// seen is what the visitor was shown.
func seen(n int) []byte {
	return bytes.Repeat([]byte{byte(n), '.'}, 2<<10)
}

func (s *store) add(id string, v visit) {
	s.mu.Lock()
	s.all[id] = append(s.all[id], v)
	s.mu.Unlock()
}

func visitor(s *store, n, rate, most int) {
	for i := range time.Tick(time.Second / time.Duration(rate)) {
		n++
		if n < most {
			s.add(fmt.Sprintf("visitor-%d", n/4), visit{fmt.Sprintf("/page/%d", i.Nanosecond()%100), seen(n)})
		}
	}
}

// residentMB is what the kernel counts as this process's memory.
func residentMB() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		log.Fatal(err)
	}
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &store{all: map[string][]visit{}}
	for i := 0; i < 20_000; i++ { // yesterday's
		s.add(fmt.Sprintf("early-%d", i), visit{"/", seen(i)})
	}
	for i := 0; i < 10; i++ {
		go visitor(s, i*1_000_000, envInt("RATE", 800), 1_000_000*i+9_000)
	}
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %.1f MB lower-is-better\n", residentMB())
	}
}
