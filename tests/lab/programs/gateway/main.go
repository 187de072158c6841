// Command gateway answers a dashboard's request from several upstream services, all asked at the same time.
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

type panel struct {
	Name  string `json:"name"`
	Value int    `json:"value"`
}

type gateway struct {
	upstream string
	client   *http.Client
	answered atomic.Int64
	spentNs  atomic.Int64
}

var panels = []string{"load", "orders", "alerts", "weather"}

func (g *gateway) dashboard(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	parts := make([]panel, len(panels))
	errs := make([]error, len(panels))
	var wg sync.WaitGroup
	for i, name := range panels {
		i, name := i, name
		wg.Add(1)
		go func() {
			defer wg.Done()
			parts[i], errs[i] = g.panel(ctx, name)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	json.NewEncoder(w).Encode(parts)
	g.spentNs.Add(int64(time.Since(start)))
	g.answered.Add(1)
}

func (g *gateway) panel(ctx context.Context, name string) (panel, error) {
	var p panel
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.upstream+"/"+name, nil)
	if err != nil {
		return p, err
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

func (g *gateway) report() {
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := g.answered.Load(), g.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure dashboard_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}

func upstream() http.Handler {
	mux := http.NewServeMux()
	for i, name := range panels {
		base := time.Duration(15+10*i) * time.Millisecond
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(base + time.Duration(rand.Intn(10))*time.Millisecond)
			json.NewEncoder(w).Encode(panel{name, rand.Intn(100)})
		})
	}
	return mux
}

func listen(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

func watch(client *http.Client, url string) {
	for {
		resp, err := client.Get(url)
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(5 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}
	g := &gateway{upstream: listen(upstream()), client: client}
	mux := http.NewServeMux()
	mux.HandleFunc("/dashboard", g.dashboard)
	base := listen(mux)
	for i := 0; i < envInt("CONCURRENCY", 6); i++ {
		go watch(client, base+"/dashboard")
	}
	g.report()
}
