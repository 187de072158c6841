package main

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

type issuer struct {
	mu  sync.Mutex
	url string
	c   *http.Client
}

func (s *issuer) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.c.Get(s.url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

func listen(h http.HandlerFunc) string {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go http.Serve(l, h)
	return "http://" + l.Addr().String()
}

func main() {
	up := listen(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(4 * time.Millisecond)
		io.WriteString(w, "t")
	})
	s := &issuer{url: up, c: &http.Client{Transport: &http.Transport{}}}
	front := listen(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s.issue()) })
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}
	for i := 0; i < envInt("CLIENTS", 10); i++ {
		go func() {
			for {
				if r, err := c.Get(front); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	select {}
}
