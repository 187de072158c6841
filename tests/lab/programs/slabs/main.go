package main

import (
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"time"
)

func slab(x float64, n int) float64 {
	for i := 0; i < n; i++ {
		x = math.Sqrt(x*x + float64(i&7))
		if i&0xfff == 0 {
			runtime.Gosched()
		}
	}
	return x
}

func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	go http.Serve(l, nil)
	for i := 0; i < envInt("CLIENTS", 3); i++ {
		go func() {
			for range time.Tick(6 * time.Millisecond) {
				if r, err := http.Get("http://" + l.Addr().String() + "/"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	x := 1.0
	for x >= 0 {
		x = slab(x, 1<<24)
	}
}
