// Command markets runs two exchanges that ask each other for prices: each answers from its own book.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type market struct {
	other  string
	price  atomic.Int64
	traded *atomic.Int64
}

// trade compares the price here with the one there.
func (m *market) trade(w http.ResponseWriter, r *http.Request) {
	there, err := get(m.other + "/price")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	m.traded.Add(1)
	fmt.Fprintf(w, "%d here, %s there", m.price.Add(1), there)
}

func (m *market) quote(w http.ResponseWriter, r *http.Request) {
	time.Sleep(3 * time.Millisecond)
	fmt.Fprint(w, m.price.Load())
}

func main() {
	var traded atomic.Int64
	limit := envInt("LIMIT", 6)
	forEast, eastAt := listen()
	forWest, westAt := listen()
	forEastPrices, eastPricesAt := listen()
	forWestPrices, westPricesAt := listen()
	east, west := &market{other: westPricesAt, traded: &traded}, &market{other: eastPricesAt, traded: &traded}
	// Prices have a door and a limit of their own, so that trades never keep them waiting.
	go serve(forEast, limit, map[string]http.HandlerFunc{"/trade": east.trade})
	go serve(forWest, limit, map[string]http.HandlerFunc{"/trade": west.trade})
	go serve(forEastPrices, 2, map[string]http.HandlerFunc{"/price": east.quote})
	go serve(forWestPrices, 2, map[string]http.HandlerFunc{"/price": west.quote})
	for i := 0; i < envInt("CONCURRENCY", 40); i++ {
		go func(base string) {
			for {
				if _, err := get(base + "/trade"); err != nil {
					log.Print(err)
				}
			}
		}([]string{eastAt, westAt}[i%2])
	}
	report("trades", &traded)
}

func serve(ln net.Listener, limit int, routes map[string]http.HandlerFunc) {
	mux := http.NewServeMux()
	for path, handler := range routes {
		mux.HandleFunc(path, handler)
	}
	slots := make(chan struct{}, limit)
	log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slots <- struct{}{}
		defer func() { <-slots }()
		mux.ServeHTTP(w, r)
	})))
}

func listen() (net.Listener, string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return ln, "http://" + ln.Addr().String()
}

func get(address string) (string, error) {
	resp, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", address, resp.Status)
	}
	return string(body), err
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

// report prints how often something was done in each second.
func report(name string, done *atomic.Int64) {
	last := done.Load()
	for range time.Tick(time.Second) {
		now := done.Load()
		fmt.Printf("figure %s %d per_s higher-is-better\n", name, now-last)
		last = now
	}
}
