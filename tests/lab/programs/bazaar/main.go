// Command bazaar quotes prices over HTTP and tells subscribers about each quote.
package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type quote struct {
	item  int
	price float64
}

// book holds the prices of all items.
type book struct {
	mu     sync.Mutex
	prices map[int]float64
}

func (b *book) price(item int) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prices[item] = estimate(item, 120_000)
	return b.prices[item]
}

// estimate runs a small simulation of the item's price.
func estimate(item, steps int) float64 {
	rng := rand.New(rand.NewSource(int64(item)))
	price := 100.0
	for i := 0; i < steps; i++ {
		price *= math.Exp(0.001 * (rng.Float64() - 0.5))
	}
	return price
}

type market struct {
	book   book
	news   chan quote
	quoted atomic.Int64
}

func (m *market) announce(q quote) {
	m.news <- q
}

// listen passes on the first quotes of the day, as the subscription says.
func (m *market) listen(w io.Writer, first int) {
	for i := 0; i < first; i++ {
		q := <-m.news
		fmt.Fprintln(w, q.item, q.price)
	}
}

func (m *market) quote(w http.ResponseWriter, r *http.Request) {
	item, err := strconv.Atoi(r.URL.Query().Get("item"))
	if err != nil {
		http.Error(w, "item: want a number", http.StatusBadRequest)
		return
	}
	q := quote{item, m.book.price(item)}
	go m.announce(q)
	fmt.Fprintf(w, "%.2f\n", q.price)
	m.quoted.Add(1)
}

func haggle(base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		resp, err := http.Get(base + "/quote?item=" + strconv.Itoa(rng.Intn(10_000)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
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
	m := &market{news: make(chan quote, 16)}
	m.book.prices = make(map[int]float64)
	go m.listen(io.Discard, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("/quote", m.quote)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	clients := envInt("CONCURRENCY", 6)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go haggle("http://"+ln.Addr().String(), int64(i))
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := m.quoted.Load()
		fmt.Printf("figure quotes %d per_s higher-is-better\n", now-last)
		last = now
	}
}
