// Command freight books containers: the broker asks the line, the line asks customs, and customs is closed today.
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

type broker struct {
	line   string
	booked atomic.Int64
}

func (b *broker) book(w http.ResponseWriter, r *http.Request) {
	number, err := get(client, b.line+"/slot")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	b.booked.Add(1)
	fmt.Fprintf(w, "container %s", number)
}

type line struct {
	customs string
}

func (l *line) slot(w http.ResponseWriter, r *http.Request) {
	paper, err := get(client, l.customs+"/clear")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "17-%s", paper)
}

func main() {
	forBroker, brokerAt := listen()
	forLine, lineAt := listen()
	door, customsAt := listen() // nobody takes its connections
	defer door.Close()
	b, l := &broker{line: lineAt}, &line{customs: customsAt}
	go serve(forLine, envInt("LIMIT", 6), map[string]http.HandlerFunc{"/slot": l.slot})
	go serve(forBroker, 2*envInt("LIMIT", 6), map[string]http.HandlerFunc{"/book": b.book})
	// Callers have patience without end, or give up and ask again.
	callers := &http.Client{Timeout: time.Duration(envInt("PATIENCE_MS", 0)) * time.Millisecond}
	callers.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	for i := 0; i < envInt("CONCURRENCY", 30); i++ {
		go func() {
			for {
				if _, err := get(callers, brokerAt+"/book"); err != nil {
					log.Print(err)
				}
			}
		}()
	}
	report("booked", &b.booked)
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

func get(client *http.Client, address string) (string, error) {
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
