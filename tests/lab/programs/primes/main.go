package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.com/primes/calc"
)

func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	m := http.NewServeMux()
	m.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, calc.Count(make([]bool, 1<<20), envInt("ROUNDS", 3000)))
	})
	m.HandleFunc("/ping", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "pong") })
	go http.Serve(l, m)
	base := "http://" + l.Addr().String()
	for i := 0; i < 8; i++ {
		go func() {
			for {
				if r, err := http.Get(base + "/ping"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for {
		r, err := http.Get(base + "/count")
		if err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	}
}
