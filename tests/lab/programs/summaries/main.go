package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.com/summaries/parts"
)

type page struct{ sources []parts.Source }

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, s := range p.sources {
		t, err := s.Load(r.URL.Query().Get("id"))
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		io.WriteString(w, t)
	}
}

func timed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := time.Now()
		h.ServeHTTP(w, r)
		_ = time.Since(t)
	})
}

func listen(h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, h)
	return "http://" + l.Addr().String() + "/"
}

func main() {
	up := listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(6 * time.Millisecond)
		fmt.Fprintln(w, "part", r.URL.Query().Get("id"))
	}))
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: envInt("KEEP", 1) == 0, MaxIdleConnsPerHost: 50}}
	p := &page{}
	for i := 0; i < 5; i++ {
		p.sources = append(p.sources, parts.Remote{Client: c, URL: up})
	}
	front := listen(timed(p))
	for i := 0; i < envInt("READERS", 4); i++ {
		go func() {
			for {
				if r, err := http.Get(front + "?id=7"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
	}
	select {}
}
