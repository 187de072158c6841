package main

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"time"

	"example.com/prices/async"
)

func price(sym string) float64 {
	d := 2 * time.Millisecond
	if rand.Intn(4) == 0 {
		d = 30 * time.Millisecond
	}
	time.Sleep(d)
	return float64(len(sym))
}

func quote(w http.ResponseWriter, r *http.Request) {
	s := r.URL.Query().Get("s")
	v, err := async.Within(10*time.Millisecond, func() float64 { return price(s) })
	if err != nil {
		http.Error(w, err.Error(), 504)
		return
	}
	fmt.Fprintln(w, v)
}

func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	m := http.NewServeMux()
	m.HandleFunc("/quote", quote)
	go http.Serve(l, m)
	for i := 0; i < envInt("CLIENTS", 4); i++ {
		go func() {
			for {
				r, err := http.Get("http://" + l.Addr().String() + "/quote?s=abc")
				if err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
	select {}
}
