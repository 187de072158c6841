// Command ferry sells tickets over HTTP. The database is a small one: a handler asks it only while it has one of a
// few permits.
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

type counter struct {
	db      *sql.DB
	permits chan struct{}
	sold    atomic.Int64
}

func (c *counter) sell(w http.ResponseWriter, r *http.Request) {
	c.permits <- struct{}{}
	_, err := c.db.ExecContext(r.Context(), "INSERT INTO tickets VALUES", r.URL.RawQuery)
	<-c.permits
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	c.sold.Add(1)
	fmt.Fprintln(w, "a ticket")
}

func passenger(url string) {
	for {
		resp, err := http.Get(url)
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
	p := &pier{slow: time.Duration(envInt("SLOW_MS", 6)) * time.Millisecond}
	if err := p.listen(); err != nil {
		log.Fatal(err)
	}
	c := &counter{db: sql.OpenDB(p), permits: make(chan struct{}, 5)}
	c.db.SetMaxIdleConns(5)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/ticket", c.sell)
	go func() { log.Fatal(http.Serve(ln, nil)) }()
	clients := envInt("CONCURRENCY", 20)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go passenger("http://" + ln.Addr().String() + "/ticket?to=" + strconv.Itoa(i))
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := c.sold.Load()
		fmt.Printf("figure tickets %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
