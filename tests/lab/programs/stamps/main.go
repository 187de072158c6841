package main

import (
	"crypto/md5"
	"io"
	"math/rand"
	"net"
	"net/http"
	"sync"
	"time"
)

type stamps struct {
	mu  sync.Mutex
	cur [16]byte
}

func (s *stamps) stamp(b byte) [16]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cur[0] ^= b
	for i := 0; i < 6000; i++ {
		s.cur = md5.Sum(s.cur[:])
	}
	return s.cur
}

func audit(id int) error {
	done := make(chan error)
	go func() {
		time.Sleep(time.Duration(rand.Intn(8)) * time.Millisecond)
		done <- nil
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(4 * time.Millisecond):
		return io.EOF
	}
}

func main() {
	s := &stamps{}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/s", func(w http.ResponseWriter, r *http.Request) {
		v := s.stamp(3)
		w.Write(v[:])
		audit(1)
	})
	go http.Serve(l, nil)
	for i := 0; i < envInt("CLIENTS", 12); i++ {
		go func() {
			for {
				if r, err := http.Get("http://" + l.Addr().String() + "/s"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	select {}
}
