// Command roster keeps shifts in memory, under a memory limit that is hardly more than what it keeps.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

type shift struct {
	who   string
	hours [24]*string
}

func build(n int) []*shift {
	all := make([]*shift, n)
	for i := range all {
		s := &shift{who: fmt.Sprintf("person %d", i)}
		for h := range s.hours {
			if h%4 == i%4 {
				task := fmt.Sprintf("task %d", i*h)
				s.hours[h] = &task
			}
		}
		all[i] = s
	}
	return all
}

func page(all []*shift, n int) string {
	var lines []string
	for i := 0; i < 120; i++ {
		s := all[(n*97+i)%len(all)]
		for h, task := range s.hours {
			if task != nil {
				lines = append(lines, fmt.Sprintf("%s %02d:00 %s", s.who, h, *task))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	shifts := envInt("SHIFTS", 250_000)
	// What they take, and a little more.
	debug.SetMemoryLimit(int64(shifts)*480 + 14<<20)
	all := build(shifts)
	var served atomic.Int64
	for i := 0; i < 2; i++ {
		go func(n int) {
			for range time.Tick(time.Millisecond) {
				n++
				if page(all, n) != "" {
					served.Add(1)
				}
			}
		}(i)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := served.Load()
		fmt.Printf("figure pages %d per_s higher-is-better\n", now-last)
		last = now
	}
}
