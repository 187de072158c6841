package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type latch struct{ mu sync.Mutex }

func (l *latch) acquire() func() {
	l.mu.Lock()
	return l.mu.Unlock
}

type member struct {
	Name  string
	Score int
	Tags  []string
}

type Roster struct {
	l   latch
	all []member
}

func (r *Roster) Listing(min int) []byte {
	release := r.l.acquire()
	defer release()
	return r.render(min)
}

func (r *Roster) render(min int) []byte {
	c := append([]member(nil), r.all...)
	sort.Slice(c, func(i, j int) bool { return c[i].Score*7%1001 < c[j].Score*7%1001 })
	b, _ := json.Marshal(c[min:])
	return b
}

var bytesOut atomic.Int64

func main() {
	r := &Roster{}
	for i := 0; i < 1500; i++ {
		r.all = append(r.all, member{fmt.Sprint("m", i), i * 31 % 977, []string{"a", "b"}})
	}
	t := time.NewTicker(2 * time.Millisecond)
	var inflight atomic.Int64
	for range t.C {
		for i := 0; i < envInt("BURST", 3); i++ {
			if inflight.Load() > 40 {
				continue
			}
			inflight.Add(1)
			go func() {
				defer inflight.Add(-1)
				bytesOut.Add(int64(len(r.Listing(10))))
			}()
		}
	}
}
