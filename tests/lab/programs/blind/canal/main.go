// Command canal stands between viewers and cameras: it passes on pictures as they come, for as long as somebody looks.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// camera sends one picture after the other, without end.
type camera struct {
	picture []byte
	every   time.Duration
}

func (c *camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	flush := http.NewResponseController(w)
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		if _, err := w.Write(c.picture); err != nil {
			return
		}
		if flush.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// watched counts who is looking through a handler.
func watched(looking *atomic.Int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		looking.Add(1)
		defer looking.Add(-1)
		next.ServeHTTP(w, r)
	})
}

func canal(cameras []*url.URL) http.Handler {
	var turn atomic.Uint64
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // viewers that go are no news
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(cameras[turn.Add(1)%uint64(len(cameras))])
		},
	}
}

// viewer looks for a while, goes, and comes again.
func viewer(url string, size, pictures int, seen *atomic.Int64) {
	buf := make([]byte, size)
	for {
		resp, err := http.Get(url)
		if err != nil {
			log.Print(err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		for i := 0; i < pictures; i++ {
			if _, err := io.ReadFull(resp.Body, buf); err != nil {
				break
			}
			seen.Add(1)
		}
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func serve(h http.Handler) *url.URL {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return &url.URL{Scheme: "http", Host: ln.Addr().String()}
}

func main() {
	size := envInt("PICTURE", 24<<10)
	var cameras []*url.URL
	for i := 0; i < 3; i++ {
		cameras = append(cameras, serve(&camera{make([]byte, size), time.Duration(30+i*5) * time.Millisecond}))
	}
	var seen, looking atomic.Int64
	front := serve(watched(&looking, canal(cameras)))
	for i := 0; i < envInt("VIEWERS", 30); i++ {
		go viewer(front.String()+"/live", size, 60+i, &seen)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := seen.Load()
		fmt.Printf("looking %d\n", looking.Load())
		fmt.Printf("figure pictures %d per_s higher-is-better\n", now-last)
		last = now
	}
}
