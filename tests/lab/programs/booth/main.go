package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

type gate chan struct{}

func (g gate) enter() { g <- struct{}{} }
func (g gate) leave() { <-g }

func main() {
	g := make(gate, 3)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/photo", func(w http.ResponseWriter, r *http.Request) {
		g.enter()
		defer g.leave()
		time.Sleep(40 * time.Millisecond)
		io.WriteString(w, "ok")
	})
	go http.Serve(l, nil)
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	for i := 0; i < envInt("VISITORS", 60); i++ {
		go func() {
			for {
				if r, err := c.Get("http://" + l.Addr().String() + "/photo"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	select {}
}
