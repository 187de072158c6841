// Command replicas looks keys up in several stores and answers with the first reply.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

type reply struct {
	store int
	value []byte
}

// store is a copy of the data that answers after a while.
type store struct {
	id      int
	latency time.Duration
	size    int
}

func (s store) read(key string) reply {
	time.Sleep(s.latency + time.Duration(rand.Intn(4))*time.Millisecond)
	return reply{s.id, bytes.Repeat([]byte(key[:1]), s.size)}
}

type reader struct {
	stores []store
	wins   [8]atomic.Int64
	reads  atomic.Int64
}

// snippet:start
// first asks all stores and returns the reply that comes first.
func (r *reader) first(key string) reply {
	replies := make(chan reply)
	for _, s := range r.stores {
		s := s
		go func() {
			replies <- s.read(key)
		}()
	}
	return <-replies
}

// snippet:end

func (r *reader) get(w http.ResponseWriter, req *http.Request) {
	key := req.URL.Query().Get("key")
	if key == "" {
		http.Error(w, "key: missing", http.StatusBadRequest)
		return
	}
	got := r.first(key)
	r.wins[got.store].Add(1)
	r.reads.Add(1)
	w.Write(got.value[:32])
}

func (r *reader) stats(w http.ResponseWriter, req *http.Request) {
	counts := make([]int64, len(r.stores))
	for i := range counts {
		counts[i] = r.wins[i].Load()
	}
	json.NewEncoder(w).Encode(counts)
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
	r := &reader{}
	for i := 0; i < 3; i++ {
		r.stores = append(r.stores, store{i, time.Duration(4+3*i) * time.Millisecond, 16 << 10})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/get", r.get)
	mux.HandleFunc("/stats", r.stats)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 16
	for i := 0; i < envInt("CONCURRENCY", 4); i++ {
		go poll(fmt.Sprintf("%s/get?key=k%d", base, i), time.Second/time.Duration(envInt("RATE", 30)))
	}
	go poll(base+"/stats", 400*time.Millisecond)
	var mem runtime.MemStats
	for range time.Tick(time.Second) {
		runtime.ReadMemStats(&mem)
		fmt.Printf("figure memory %.1f MB lower-is-better\n", float64(mem.HeapInuse+mem.StackInuse)/1e6)
	}
}
