// Command lookups answers which depot holds a part. One goroutine owns the table; clerks ask it over a channel.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

type question struct {
	part   int
	answer chan string
}

// table is owned by the goroutine that runs serve.
type table struct {
	depots    map[int]string
	questions chan question
}

var errLate = errors.New("no answer in time")

func (t *table) serve() {
	for q := range t.questions {
		q.answer <- t.depots[q.part]
	}
}

// snippet:start
// depot asks for the depot of a part.
func (t *table) depot(part int, patience time.Duration) (string, error) {
	q := question{part, make(chan string, 1)}
	t.questions <- q
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case depot := <-q.answer:
		return depot, nil
	case <-late.C:
		return "", errLate
	}
}

// snippet:end

// clerk looks up parts, so many a second.
func (t *table) clerk(number, rate int, patience time.Duration, found chan<- int) {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	each := rate / 100
	for part := number; ; {
		<-pause.C
		n := 0
		for i := 0; i < each; i++ {
			part = (part*31 + 7) % 5000
			if depot, err := t.depot(part, patience); err == nil && depot != "" {
				n++
			}
		}
		found <- n
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	debug.SetGCPercent(envInt("GC_PERCENT", 50))
	t := &table{depots: make(map[int]string), questions: make(chan question)}
	for part := 0; part < 5000; part++ {
		t.depots[part] = "depot-" + strconv.Itoa(part%13)
	}
	go t.serve()
	found := make(chan int)
	clerks := envInt("CLERKS", 6)
	patience := time.Duration(envInt("PATIENCE_S", 30)) * time.Second
	for i := 0; i < clerks; i++ {
		go t.clerk(i, envInt("RATE", 24000)/clerks, patience, found)
	}
	second := time.NewTicker(time.Second)
	var memory runtime.MemStats
	for {
		select {
		case <-found:
		case <-second.C:
			runtime.ReadMemStats(&memory)
			fmt.Printf("figure heap_in_use %.1f MB lower-is-better\n", float64(memory.HeapInuse)/(1<<20))
		}
	}
}
