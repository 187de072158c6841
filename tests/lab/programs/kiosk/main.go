// Command kiosk sells tickets. Its seats are kept by another service, which takes its time; the queue is long.
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

type kiosk struct {
	seats string
	sold  atomic.Int64
}

func (k *kiosk) buy(w http.ResponseWriter, r *http.Request) {
	seat, err := get(k.seats + "/take?show=" + r.FormValue("show"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	k.sold.Add(1)
	fmt.Fprintf(w, "ticket for %s", seat)
}

func take(w http.ResponseWriter, r *http.Request) {
	time.Sleep(25 * time.Millisecond) // the plan of the hall lies on a slow disk
	fmt.Fprintf(w, "seat %d", len(r.FormValue("show"))*7)
}

func main() {
	forSeats, seatsAt := listen()
	forKiosk, kioskAt := listen()
	k := &kiosk{seats: seatsAt}
	go serve(forSeats, envInt("LIMIT", 4), map[string]http.HandlerFunc{"/take": take})
	go serve(forKiosk, 3*envInt("LIMIT", 4), map[string]http.HandlerFunc{"/buy": k.buy})
	for i := 0; i < envInt("CONCURRENCY", 60); i++ {
		go func(n int) {
			for {
				if _, err := get(fmt.Sprintf("%s/buy?show=%d", kioskAt, n)); err != nil {
					log.Print(err)
				}
			}
		}(i)
	}
	report("tickets", &k.sold)
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
