package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

type entry struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

type store struct {
	mu sync.Mutex
	m  map[string]entry
}

func (s *store) put(e entry) {
	s.mu.Lock()
	s.m[e.Name] = e
	s.mu.Unlock()
}

func main() {
	s := &store{m: map[string]entry{}}
	jobs := make(chan func())
	for i := 0; i < 200; i++ {
		go func() {
			for f := range jobs {
				f()
			}
		}()
	}
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			jobs <- func() { s.put(entry{"beat", 1}) }
		}
	}()
	ballast := make([][]byte, 300)
	for i := range ballast {
		ballast[i] = make([]byte, 100<<10)
	}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/put", func(w http.ResponseWriter, r *http.Request) {
		var e entry
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			http.Error(w, "bad", 400)
			return
		}
		s.put(e)
		json.NewEncoder(w).Encode(e)
	})
	go http.Serve(l, nil)
	for i := 0; i < envInt("CLIENTS", 4); i++ {
		go func() {
			for n := 0; ; n++ {
				b, _ := json.Marshal(entry{fmt.Sprint("n", n%1000), n})
				r, err := http.Post("http://"+l.Addr().String()+"/put", "application/json", bytes.NewReader(b))
				if err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
				time.Sleep(500 * time.Microsecond)
			}
		}()
	}
	time.Sleep(time.Hour)
	fmt.Println(len(ballast))
}
