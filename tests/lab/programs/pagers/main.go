// Command pagers keeps a connection to each of several hundred pagers, which say now and then that they are there.
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

type pager struct {
	client *http.Client
	url    string
}

// live says every few seconds that it is there, always over its own connection.
func (p *pager) live(pause time.Duration) {
	for {
		resp, err := p.client.Get(p.url)
		if err != nil {
			log.Print(err)
		} else {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	var beats atomic.Int64
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			beats.Add(1)
			w.WriteHeader(http.StatusNoContent)
		})))
	}()
	url := "http://" + ln.Addr().String() + "/beat"
	go func() {
		count := envInt("CONNECTIONS", 300)
		for i := 0; i < count; i++ {
			p := &pager{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}, url: url}
			go p.live(4 * time.Second)
			time.Sleep(2 * time.Second / time.Duration(count)) // not all at once
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := beats.Load()
		fmt.Printf("figure beats %d per_s higher-is-better\n", now-last)
		last = now
	}
}
