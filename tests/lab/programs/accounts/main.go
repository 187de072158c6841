// Command accounts books transfers between accounts, sent as JSON over HTTP.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
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

type transfer struct {
	From   int    `json:"from"`
	To     int    `json:"to"`
	Cents  int64  `json:"cents"`
	Reason string `json:"reason"`
}

type result struct {
	OK      bool  `json:"ok"`
	Balance int64 `json:"balance"`
}

type bank struct {
	mu       sync.Mutex
	balances []int64
	booked   atomic.Int64
}

var errAccount = errors.New("no such account")

// book holds the lock for two additions only; decoding and encoding happen outside.
func (b *bank) book(t transfer) (int64, error) {
	if t.From < 0 || t.To < 0 || t.From >= len(b.balances) || t.To >= len(b.balances) {
		return 0, errAccount
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balances[t.From] -= t.Cents
	b.balances[t.To] += t.Cents
	return b.balances[t.From], nil
}

func (b *bank) post(w http.ResponseWriter, r *http.Request) {
	var t transfer
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&t); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	balance, err := b.book(t)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	json.NewEncoder(w).Encode(result{true, balance})
	b.booked.Add(1)
}

func pay(url string, seed int64, pause time.Duration) {
	rng := rand.New(rand.NewSource(seed))
	for {
		body, _ := json.Marshal(transfer{rng.Intn(1000), rng.Intn(1000), int64(rng.Intn(5000)), "invoice"})
		resp, err := http.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(pause)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	b := &bank{balances: make([]int64, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("/transfers", b.post)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	clients := envInt("CONCURRENCY", 12)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go pay("http://"+ln.Addr().String()+"/transfers", int64(i), time.Duration(envInt("PAUSE_US", 3000))*time.Microsecond)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := b.booked.Load()
		fmt.Printf("figure transfers %d per_s higher-is-better\n", now-last)
		last = now
	}
}
