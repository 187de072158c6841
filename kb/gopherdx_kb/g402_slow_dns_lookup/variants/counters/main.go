// Command counters counts what its clients do, in a store that other processes read. It brings a name server of its
// own along and asks no other.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type store struct {
	dialer  net.Dialer
	address string
	spare   chan net.Conn // connections that nobody uses right now
	counted atomic.Int64
	spentNs atomic.Int64
}

func (s *store) dial(ctx context.Context) (net.Conn, error) {
	return s.dialer.DialContext(ctx, "tcp", s.address)
}

// snippet:start
// add counts one more of a key and returns how many there are.
func (s *store) add(ctx context.Context, key string) (int, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	n, err := ask(conn, key)
	if err != nil {
		return 0, err
	}
	return n, nil
}

// snippet:end

// ask sends one key and reads its count.
func ask(conn net.Conn, key string) (int, error) {
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, key+"\n"); err != nil {
		return 0, err
	}
	line := make([]byte, 16)
	n, err := conn.Read(line)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(line[:n-1]))
}

func (s *store) hit(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	n, err := s.add(r.Context(), r.URL.Query().Get("key"))
	if err != nil {
		log.Print(err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, n)
	s.spentNs.Add(int64(time.Since(start)))
	s.counted.Add(1)
}

// counts is the store's own side: a line in, a number out.
func counts(ln net.Listener) {
	var mu sync.Mutex
	of := map[string]int{}
	for {
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer conn.Close()
			for in := bufio.NewScanner(conn); in.Scan(); {
				mu.Lock()
				of[in.Text()]++
				n := of[in.Text()]
				mu.Unlock()
				fmt.Fprintln(conn, n)
			}
		}()
	}
}

// names answers questions for the addresses of hosts, each after a while: every host is this one.
func names(pc net.PacketConn, after time.Duration) {
	for {
		q := make([]byte, 512)
		n, from, err := pc.ReadFrom(q)
		if err != nil {
			return
		}
		go func(q []byte) {
			time.Sleep(after)
			end := 12
			for end < len(q) && q[end] != 0 {
				end += int(q[end]) + 1
			}
			if end += 5; end > len(q) {
				return
			}
			a := append([]byte(nil), q[:end]...)
			copy(a[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
			if binary.BigEndian.Uint16(q[end-4:]) == 1 { // an A record; there are no others
				a[7] = 1
				a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1)
			}
			pc.WriteTo(a, from)
		}(q[:n])
	}
}

func page(client *http.Client, url string, i int) {
	for ; ; i++ {
		resp, err := client.Get(url + "?key=page" + strconv.Itoa(i%40))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(15 * time.Millisecond)
	}
}
func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go names(pc, time.Duration(envInt("ANSWER_MS", 45))*time.Millisecond)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go counts(ln)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
	s := &store{address: "counts.store.test:" + port, spare: make(chan net.Conn, 64)}
	s.dialer.Resolver = resolver
	mux := http.NewServeMux()
	mux.HandleFunc("/hit", s.hit)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(front, mux)) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for i := 0; i < envInt("CONCURRENCY", 10); i++ {
		go page(client, "http://"+front.Addr().String()+"/hit", i*7)
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.counted.Load(), s.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure hit_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
