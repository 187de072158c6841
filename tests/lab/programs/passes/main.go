// Command passes opens doors: each request needs a stamp from the office, which gives one stamp at a time.
package main

import (
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

type gate struct {
	mu     sync.Mutex
	office string
	client *http.Client
	number int
	opened atomic.Int64
}

// stamp asks the office. It wants the numbers in order, so the next question waits for the last answer.
func (g *gate) stamp() (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	resp, err := g.client.Get(g.office + "?after=" + strconv.Itoa(g.number))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	g.number++
	return string(text), err
}

func (g *gate) open(w http.ResponseWriter, r *http.Request) {
	stamp, err := g.stamp()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	g.opened.Add(1)
	fmt.Fprintln(w, stamp)
}

func serve(handler http.HandlerFunc) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, handler)) }()
	return "http://" + ln.Addr().String()
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	takes := time.Duration(envInt("STAMP_MS", 4)) * time.Millisecond
	office := serve(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(takes)
		fmt.Fprintln(w, r.URL.RawQuery)
	})
	g := &gate{office: office, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	front := serve(g.open)
	guests := envInt("CONCURRENCY", 10)
	walk := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: guests}}
	for i := 0; i < guests; i++ {
		go func() {
			for {
				resp, err := walk.Get(front)
				if err != nil {
					log.Print(err)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := g.opened.Load()
		fmt.Printf("figure doors %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
