// Command storefront puts product pages together from what three other services know.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type product struct {
	Price   price   `json:"price"`
	Stock   stock   `json:"stock"`
	Reviews reviews `json:"reviews"`
}

type price struct {
	Cents    int    `json:"cents"`
	Currency string `json:"currency"`
}

type stock struct {
	Pieces int    `json:"pieces"`
	Depot  string `json:"depot"`
}

type reviews struct {
	Count int     `json:"count"`
	Stars float64 `json:"stars"`
}

type shop struct {
	backend string
	client  *http.Client
	pages   atomic.Int64
	spentNs atomic.Int64
	seen    seen
}

// seen counts pages by product, for the roll-up.
type seen struct {
	mu sync.Mutex
	by map[string]int
}

func (s *seen) add(id string) {
	s.mu.Lock()
	s.by[id]++
	s.mu.Unlock()
}

func (s *seen) top() (id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.by {
		if v > n || v == n && k < id {
			id, n = k, v
		}
	}
	return id, n
}

// snippet:start
func (s *shop) load(ctx context.Context, id string) (product, error) {
	var p product
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the first error ends the other calls
	errs := make(chan error, 3)
	go func() { errs <- s.get(ctx, "/price?id="+id, &p.Price) }()
	go func() { errs <- s.get(ctx, "/stock?id="+id, &p.Stock) }()
	go func() { errs <- s.get(ctx, "/reviews?id="+id, &p.Reviews) }()
	var first error
	for i := 0; i < 3; i++ { // wait for all three: they write into p
		if err := <-errs; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return p, first
}

// snippet:end

func (s *shop) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.backend+path, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (s *shop) page(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := r.URL.Query().Get("id")
	p, err := s.load(r.Context(), id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(p)
	s.seen.add(id)
	s.spentNs.Add(int64(time.Since(start)))
	s.pages.Add(1)
}

// report prints the mean time of a page, second by second.
func (s *shop) report() {
	var lastPages, lastNs int64
	for range time.Tick(time.Second) {
		pages, ns := s.pages.Load(), s.spentNs.Load()
		if n := pages - lastPages; n > 0 {
			fmt.Printf("figure page_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n)/1e6)
		}
		lastPages, lastNs = pages, ns
	}
}

// after answers with v when a time between low and high has passed, as a database behind the service would.
func after(low, high time.Duration, v any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(low + time.Duration(rand.Int63n(int64(high-low))))
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}

func backends() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/price", after(30*time.Millisecond, 50*time.Millisecond, price{Cents: 1999, Currency: "EUR"}))
	mux.HandleFunc("/stock", after(20*time.Millisecond, 40*time.Millisecond, stock{Pieces: 12, Depot: "north"}))
	mux.HandleFunc("/reviews", after(40*time.Millisecond, 60*time.Millisecond, reviews{Count: 88, Stars: 4.3}))
	return mux
}

// listen serves h on a free port of the loopback and returns its address as a URL.
func listen(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

func fetch(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err != nil {
		log.Print(err)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func browse(client *http.Client, base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		fetch(client, base+"/page?id="+strconv.Itoa(rng.Intn(500)))
		time.Sleep(time.Duration(rng.Intn(10)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: 5 * time.Second}
	s := &shop{backend: listen(backends()), client: client, seen: seen{by: make(map[string]int)}}

	mux := http.NewServeMux()
	mux.HandleFunc("/page", s.page)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	base := listen(mux)

	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go browse(client, base, int64(i))
	}
	go func() { // the load balancer's probe
		for range time.Tick(250 * time.Millisecond) {
			fetch(client, base+"/healthz")
		}
	}()
	go func() {
		for range time.Tick(500 * time.Millisecond) {
			id, n := s.seen.top()
			fmt.Fprintf(io.Discard, "top product %s: %d\n", id, n)
		}
	}()
	s.report()
}
