// Command catalog holds the prices of a shop: it answers price requests and takes in the suppliers' feeds.
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
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type catalog struct {
	mu       sync.RWMutex
	prices   map[string]float64
	feeds    atomic.Int64
	feedNs   atomic.Int64
	requests atomic.Int64
}

func (c *catalog) set(sku string, price float64) {
	c.mu.Lock()
	c.prices[sku] = price
	c.mu.Unlock()
}

func (c *catalog) get(sku string) (float64, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	price, ok := c.prices[sku]
	return price, ok
}

// snippet:start
// readFeed takes in {"items": [{"sku": …, "price": …, …}, …]} and returns how many items it held.
func (c *catalog) readFeed(w http.ResponseWriter, r *http.Request) (int, error) {
	var feed map[string]any
	if err := json.NewDecoder(r.Body).Decode(&feed); err != nil {
		return 0, err
	}
	items, _ := feed["items"].([]any)
	for _, v := range items {
		item, _ := v.(map[string]any)
		sku, _ := item["sku"].(string)
		price, _ := item["price"].(float64)
		c.set(sku, price)
	}
	return len(items), nil
}

// snippet:end

func (c *catalog) postFeed(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	n, err := c.readFeed(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, n)
	c.feedNs.Add(int64(time.Since(start)))
	c.feeds.Add(1)
}

type answer struct {
	SKU   string  `json:"sku"`
	Price float64 `json:"price"`
}

func (c *catalog) getPrice(w http.ResponseWriter, r *http.Request) {
	sku := r.URL.Query().Get("sku")
	price, ok := c.get(sku)
	if !ok {
		http.NotFound(w, r)
		return
	}
	c.requests.Add(1)
	json.NewEncoder(w).Encode(answer{sku, price})
}

// report prints the mean time that a feed took, for the seconds in which one ended.
func (c *catalog) report() {
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := c.feeds.Load(), c.feedNs.Load()
		if n > lastN {
			fmt.Printf("figure feed_time %.0f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}

// makeFeed writes a supplier's feed of about size bytes.
func makeFeed(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"supplier": "north", "items": [`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku": "N-%06d", "price": %d.95, "name": "part %d", "stock": %d, "weight": 0.%03d, `+
			`"tags": ["steel", "m%d", "shelf-%d"], "size": {"w": %d, "h": %d, "d": %d}, "active": true}`,
			i, i%400, i, i%50, i%1000, i%12, i%77, i%30, i%40, i%50)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func supply(base string, feed []byte, pause time.Duration) {
	for {
		resp, err := http.Post(base+"/feed", "application/json", bytes.NewReader(feed))
		if err != nil {
			log.Print(err)
		} else {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		time.Sleep(pause)
	}
}

func shopper(base string, seed int64, rate int) {
	rng := rand.New(rand.NewSource(seed))
	for range time.Tick(time.Second / time.Duration(rate)) {
		resp, err := http.Get(fmt.Sprintf("%s/price?sku=N-%06d", base, rng.Intn(20_000)))
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
	c := &catalog{prices: make(map[string]float64)}
	mux := http.NewServeMux()
	mux.HandleFunc("/feed", c.postFeed)
	mux.HandleFunc("/price", c.getPrice)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()

	clients := envInt("CONCURRENCY", 4)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go shopper(base, int64(i), envInt("RATE", 25))
	}
	go supply(base, makeFeed(envInt("FEED_MB", 12)<<20), 500*time.Millisecond)
	c.report()
}
