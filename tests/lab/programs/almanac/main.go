// Command almanac stores what weather stations send over HTTP, through a pool without a limit.
package main

import (
	"database/sql"
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

type almanac struct {
	db     *sql.DB
	stored atomic.Int64
}

func (a *almanac) store(w http.ResponseWriter, r *http.Request) {
	if _, err := a.db.ExecContext(r.Context(), "INSERT INTO weather VALUES", r.URL.RawQuery); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	a.stored.Add(1)
}

func station(url string, pause time.Duration) {
	for {
		resp, err := http.Post(url, "text/plain", nil)
		if err != nil {
			log.Print(err)
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
	s := &sky{slow: time.Duration(envInt("SLOW_MS", 40)) * time.Millisecond}
	if err := s.listen(); err != nil {
		log.Fatal(err)
	}
	a := &almanac{db: sql.OpenDB(s)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/weather", a.store)
	go func() { log.Fatal(http.Serve(ln, nil)) }()
	stations := envInt("CONCURRENCY", 30)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = stations
	for i := 0; i < stations; i++ {
		go station("http://"+ln.Addr().String()+"/weather?station="+strconv.Itoa(i), 10*time.Millisecond)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := a.stored.Load()
		fmt.Printf("figure readings %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
