// Command feeds reads the partitions of a message bus through its C client, one goroutine for each, as the client
// wants it: a poll returns a message, or nothing after a while.
package main

/*
#include <stdint.h>
#include <time.h>

// bus_poll returns the partition's next message, or 0 when none came within the time.
static uint64_t bus_poll(int partition, int at, int timeout_ms) {
	struct timespec wait = {0, 1000000L * timeout_ms};
	if ((at * 7 + partition) % 3 == 0) {
		wait.tv_nsec /= 3;
		nanosleep(&wait, 0);
		return 0x9E3779B97F4A7C15u * (uint64_t)(at + 1);
	}
	nanosleep(&wait, 0);
	return 0;
}
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type tallies struct {
	mu   sync.Mutex
	by   map[uint64]int
	seen atomic.Int64
}

func (t *tallies) add(message uint64) {
	t.mu.Lock()
	t.by[message>>56]++
	t.mu.Unlock()
	t.seen.Add(1)
}

// consume reads one partition.
func (t *tallies) consume(partition, timeoutMs int) {
	for at := 0; ; at++ {
		if m := uint64(C.bus_poll(C.int(partition), C.int(at), C.int(timeoutMs))); m != 0 {
			t.add(m)
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	t := &tallies{by: map[uint64]int{}}
	for i := 0; i < envInt("PARTITIONS", 16); i++ {
		go t.consume(i, envInt("TIMEOUT_MS", 90))
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		n := t.seen.Load()
		fmt.Printf("figure messages %d 1/s higher-is-better\n", n-last)
		last = n
	}
}
