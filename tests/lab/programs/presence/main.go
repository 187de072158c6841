// Command presence keeps track of who is online. Most of the time it waits.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type room struct {
	mu     sync.RWMutex
	seen   map[string]time.Time
	events chan string
	sent   atomic.Int64
}

func (r *room) beat(name string) {
	r.mu.Lock()
	r.seen[name] = time.Now()
	r.mu.Unlock()
}

// expire drops who was not heard of for a while.
func (r *room) expire(after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, at := range r.seen {
		if time.Since(at) > after {
			delete(r.seen, name)
		}
	}
}

func (r *room) notify() {
	for range r.events {
		r.sent.Add(1)
	}
}

func (r *room) list(w http.ResponseWriter, req *http.Request) {
	r.mu.RLock()
	names := make([]string, 0, len(r.seen))
	for name := range r.seen {
		names = append(names, name)
	}
	r.mu.RUnlock()
	json.NewEncoder(w).Encode(names)
}

func (r *room) beatHandler(w http.ResponseWriter, req *http.Request) {
	r.beat(req.URL.Query().Get("name"))
	w.WriteHeader(http.StatusNoContent)
}

func poll(url string, period time.Duration) {
	for range time.Tick(period) {
		resp, err := http.Get(url)
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	r := &room{seen: make(map[string]time.Time), events: make(chan string)}
	for i := 0; i < envInt("WORKERS", 200); i++ {
		go r.notify()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/list", r.list)
	mux.HandleFunc("/beat", r.beatHandler)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()
	go poll(base+"/beat?name=ada", 400*time.Millisecond)
	go poll(base+"/beat?name=emil", 700*time.Millisecond)
	go poll(base+"/list", 500*time.Millisecond)
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			r.expire(2 * time.Second)
			r.events <- "tick"
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := r.sent.Load()
		fmt.Printf("figure events %d per_s higher-is-better\n", now-last)
		last = now
	}
}
