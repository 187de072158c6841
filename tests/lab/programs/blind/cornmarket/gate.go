package main

import (
	"net/http"
	"sync"
)

// gate lets so many requests in at once; the others stand before it.
type gate struct {
	mu   sync.Mutex
	room *sync.Cond
	free int
	next http.Handler
}

func gated(free int, next http.Handler) *gate {
	g := &gate{free: free, next: next}
	g.room = sync.NewCond(&g.mu)
	return g
}

func (g *gate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.free == 0 {
		g.room.Wait()
	}
	g.free--
}

func (g *gate) leave() {
	g.mu.Lock()
	g.free++
	g.mu.Unlock()
	g.room.Signal()
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.enter()
	defer g.leave()
	g.next.ServeHTTP(w, r)
}
