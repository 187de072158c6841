package main

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"example.com/basket/kv"
)

type shop struct{ p *kv.Pool }

func (s shop) show(w http.ResponseWriter, r *http.Request) {
	keys := []string{"user", "cart", "price", "tax", "ship", "ads"}
	for _, k := range keys {
		v, err := s.p.Get(k)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		fmt.Fprintln(w, v)
	}
}

func main() {
	b, _ := net.Listen("tcp", "127.0.0.1:0")
	go kv.Serve(b)
	s := shop{kv.Open(b.Addr().String(), 16)}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	m := http.NewServeMux()
	m.HandleFunc("/basket", s.show)
	go http.Serve(l, m)
	for i := 0; i < envInt("READERS", 6); i++ {
		go func() {
			for {
				if r, err := http.Get("http://" + l.Addr().String() + "/basket"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	select {}
}
