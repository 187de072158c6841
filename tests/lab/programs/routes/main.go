package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sync/atomic"
)

func route(line []byte) string {
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		return ""
	}
	s, _ := m["type"].(string)
	return s
}

var n atomic.Int64

func main() {
	keep := make([][]byte, 0)
	for i := 0; i < envInt("LINES", 400000); i++ {
		keep = append(keep, []byte(fmt.Sprintf(`{"type":"t%d","user":{"id":%d,"roles":["a","b"]},"n":%d}`, i%9, i, i)))
	}
	for w := 0; w < runtime.GOMAXPROCS(0); w++ {
		w := w
		go func() {
			for i := w; ; i++ {
				if route(keep[i%len(keep)]) != "" {
					n.Add(1)
				}
			}
		}()
	}
	select {}
}
