package main

import (
	"fmt"
	"time"
)

type event struct {
	kind  string
	attrs map[string]any
}

type reducer struct{ seen int }

func (r *reducer) fold(evs []event) map[string]any {
	sum := map[string]any{}
	for _, e := range evs {
		for k, v := range e.attrs {
			old, _ := sum[k].(int)
			sum[k] = old + v.(int)
		}
	}
	r.seen += len(evs)
	return sum
}

func produce(n int) []event {
	evs := make([]event, 0, 16)
	for i := 0; i < 16; i++ {
		a := make(map[string]any)
		for j := 0; j < 10; j++ {
			a[keys[(n+j)%len(keys)]] = n*1000 + j
		}
		evs = append(evs, event{"k", a})
	}
	return evs
}

var keys []string

func main() {
	for i := 0; i < 64; i++ {
		keys = append(keys, fmt.Sprint("key", i))
	}
	for w := 0; w < envInt("WORKERS", 4); w++ {
		go func() {
			var r reducer
			for n := 0; ; n++ {
				r.fold(produce(n))
			}
		}()
	}
	for range time.Tick(time.Second) {
	}
}
