// Command bulletin hands news on: readers ask an edge and wait, the edge asks the newsroom and waits.
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

type newsroom struct {
	next chan string
}

func (n *newsroom) news(w http.ResponseWriter, r *http.Request) {
	select {
	case text := <-n.next:
		io.WriteString(w, text)
	case <-time.After(30 * time.Second):
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

type edge struct {
	newsroom string
	read     atomic.Int64
}

func (e *edge) show(w http.ResponseWriter, r *http.Request) {
	text, err := get(e.newsroom + "/news")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	e.read.Add(1)
	io.WriteString(w, text)
}

func main() {
	forNewsroom, newsroomAt := listen()
	forEdge, edgeAt := listen()
	n := &newsroom{next: make(chan string)}
	e := &edge{newsroom: newsroomAt}
	go serve(forNewsroom, 200, map[string]http.HandlerFunc{"/news": n.news})
	go serve(forEdge, 200, map[string]http.HandlerFunc{"/read": e.show})
	for i := 0; i < envInt("CONCURRENCY", 40); i++ {
		go func() {
			for {
				if _, err := get(edgeAt + "/read"); err != nil {
					log.Print(err)
				}
			}
		}()
	}
	go func() {
		for i := 0; ; i++ {
			time.Sleep(time.Duration(envInt("QUIET_S", 9)) * time.Second)
			n.next <- fmt.Sprintf("news %d", i)
		}
	}()
	report("news", &e.read)
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
