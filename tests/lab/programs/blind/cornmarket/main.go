// Command cornmarket sells grain: the silo takes orders and asks the exchange for a price, which depends on how much is
// left of a kind. Both are services of their own, each with a gate before it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// peer is the service on the other side.
type peer struct {
	client *http.Client
	base   string
}

func (p *peer) number(path string, query url.Values) (int, error) {
	resp, err := p.client.Get(p.base + path + "?" + query.Encode())
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, errors.New(resp.Status)
	}
	var n int
	err = json.NewDecoder(resp.Body).Decode(&n)
	return n, err
}

type silo struct {
	exchange *peer
	mu       sync.Mutex
	tons     map[string]int
}

func (s *silo) left(grain string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tons[grain]
}

// order sells some tons at what the exchange says they are worth.
func (s *silo) order(w http.ResponseWriter, r *http.Request) {
	grain := r.URL.Query().Get("grain")
	price, err := s.exchange.number("/price", url.Values{"grain": {grain}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.mu.Lock()
	s.tons[grain]--
	if s.tons[grain] < 100 {
		s.tons[grain] += 900
	}
	s.mu.Unlock()
	json.NewEncoder(w).Encode(price)
}

// stock says how much is left.
func (s *silo) stock(w http.ResponseWriter, r *http.Request) {
	json.NewEncoder(w).Encode(s.left(r.URL.Query().Get("grain")))
}

func (s *silo) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/order", s.order)
	mux.HandleFunc("/stock", s.stock)
	return mux
}

type exchange struct {
	silo *peer
	day  time.Duration
}

// price is higher the less there is left.
func (e *exchange) price(w http.ResponseWriter, r *http.Request) {
	time.Sleep(e.day) // what the market is like today
	left, err := e.silo.number("/stock", url.Values{"grain": {r.URL.Query().Get("grain")}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	json.NewEncoder(w).Encode(240 - left/10)
}

func (e *exchange) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/price", e.price)
	return mux
}

func listen() (net.Listener, string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return ln, "http://" + ln.Addr().String()
}

// miller orders again and again, of all kinds.
func miller(silo string, id int, sold *atomic.Int64) {
	grains := []string{"rye", "oats", "wheat", "spelt"}
	client := &http.Client{Transport: &http.Transport{}}
	for n := id; ; n++ {
		resp, err := client.Get(silo + "/order?grain=" + grains[n%len(grains)])
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			sold.Add(1)
		}
		time.Sleep(15 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	siloListener, siloURL := listen()
	exchangeListener, exchangeURL := listen()
	size := envInt("GATE", 6)
	client := func() *http.Client { return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}} }
	s := &silo{
		exchange: &peer{client(), exchangeURL},
		tons:     map[string]int{"rye": 700, "oats": 400, "wheat": 900, "spelt": 200},
	}
	e := &exchange{silo: &peer{client(), siloURL}, day: 3 * time.Millisecond}
	go func() { log.Fatal(http.Serve(siloListener, gated(size, s.routes()))) }()
	go func() { log.Fatal(http.Serve(exchangeListener, gated(size, e.routes()))) }()

	var sold atomic.Int64
	for i := 0; i < envInt("MILLERS", 20); i++ {
		go miller(siloURL, i, &sold)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := sold.Load()
		fmt.Printf("figure sold %d per_s higher-is-better\n", now-last)
		last = now
	}
}
