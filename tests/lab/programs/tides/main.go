// Command tides answers questions about a harbour. What it knows comes from a station that stopped answering.
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

type tides struct {
	station string
	told    atomic.Int64
}

func (t *tides) height(w http.ResponseWriter, r *http.Request) {
	m, err := get(client, t.station+"/height")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	t.told.Add(1)
	fmt.Fprintf(w, "%s m", m)
}

func (t *tides) wind(w http.ResponseWriter, r *http.Request) {
	kn, err := get(client, t.station+"/wind")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	t.told.Add(1)
	fmt.Fprintf(w, "%s kn", kn)
}

// mute takes connections and says nothing.
func mute(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go io.Copy(io.Discard, conn)
	}
}

func main() {
	forStation, stationAt := listen()
	forTides, tidesAt := listen()
	t := &tides{station: stationAt}
	go mute(forStation)
	go serve(forTides, envInt("LIMIT", 8), map[string]http.HandlerFunc{"/height": t.height, "/wind": t.wind})
	// Callers have patience without end, or give up and ask again.
	callers := &http.Client{Timeout: time.Duration(envInt("PATIENCE_MS", 0)) * time.Millisecond}
	callers.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	for i := 0; i < envInt("CONCURRENCY", 30); i++ {
		go func(path string) {
			for {
				if _, err := get(callers, tidesAt+path); err != nil {
					log.Print(err)
				}
			}
		}([]string{"/height", "/wind"}[i%2])
	}
	report("answers", &t.told)
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
