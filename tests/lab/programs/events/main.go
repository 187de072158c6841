// Command events sorts lines of JSON by their type, each a document of its own, batch by batch.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// route returns the type of an event.
func route(line []byte) string {
	var event map[string]any
	if err := json.Unmarshal(line, &event); err != nil {
		return ""
	}
	kind, _ := event["type"].(string)
	return kind
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	lines := make([][]byte, envInt("LINES", 1000000))
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `{"type":"t%d","user":{"id":%d,"roles":["a","b"]},"n":%d}`, i%9, i, i)
	}
	var routed atomic.Int64
	batches := make(chan [][]byte)
	for w := 0; w < envInt("WORKERS", runtime.GOMAXPROCS(0)); w++ {
		go func() {
			for batch := range batches {
				for _, line := range batch {
					if route(line) != "" {
						routed.Add(1)
					}
				}
			}
		}()
	}
	go func() {
		const batch = 20000
		for {
			for i := 0; i+batch <= len(lines); i += batch {
				batches <- lines[i : i+batch]
			}
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := routed.Load()
		fmt.Printf("figure events %d per_s higher-is-better\n", now-last)
		last = now
	}
}
