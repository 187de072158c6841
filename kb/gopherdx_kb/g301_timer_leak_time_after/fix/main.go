// Command quotes takes in price quotes over TCP, one a line, and keeps the last price of each paper. A market that
// falls silent is noted.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type quote struct {
	paper string
	price float64
}

// board holds the last price of each paper.
type board struct {
	mu     sync.Mutex
	prices map[string]float64
	taken  atomic.Int64
}

func (b *board) set(q quote) {
	b.mu.Lock()
	b.prices[q.paper] = q.price
	b.mu.Unlock()
	b.taken.Add(1)
}

// market is one connection that quotes come in on.
type market struct {
	name    string
	board   *board
	silence time.Duration
	silent  atomic.Int64
}

// snippet:start
// follow takes in quotes until there are no more, and notes when none came for a while.
func (m *market) follow(quotes <-chan quote) {
	silence := time.NewTimer(m.silence)
	defer silence.Stop()
	for {
		select {
		case q, ok := <-quotes:
			if !ok {
				return
			}
			m.board.set(q)
			if !silence.Stop() {
				<-silence.C // it fired meanwhile: take that out, or it would count as silence later
			}
		case <-silence.C:
			m.silent.Add(1)
			log.Printf("%s: no quote for %v", m.name, m.silence)
		}
		silence.Reset(m.silence)
	}
}

// snippet:end

// read sends on what the connection's lines say ("PAPER007 101.25").
func read(conn net.Conn, quotes chan<- quote) {
	defer close(quotes)
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		paper, text, ok := strings.Cut(lines.Text(), " ")
		price, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			continue
		}
		quotes <- quote{paper, price}
	}
}

func (b *board) accept(ln net.Listener, silence time.Duration) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		m := &market{name: conn.RemoteAddr().String(), board: b, silence: silence}
		quotes := make(chan quote, 64)
		go read(conn, quotes)
		go m.follow(quotes)
	}
}

// publish is the other side: a market that quotes its papers, so many a second.
func publish(addr string, number, rate int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	var due float64
	var lines []byte
	for n := range time.Tick(5 * time.Millisecond) {
		due += float64(rate) * 0.005
		lines = lines[:0]
		for ; due >= 1; due-- {
			tick := n.UnixNano()/1e6 + int64(due)
			lines = fmt.Appendf(lines, "PAPER%03d %d.%02d\n", number*100+int(tick%100), 90+tick%20, tick%97)
		}
		if _, err := conn.Write(lines); err != nil {
			log.Fatal(err)
		}
	}
}

// heapMB is what the heap's objects take.
func heapMB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / (1 << 20)
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	b := &board{prices: make(map[string]float64)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go b.accept(ln, time.Duration(envInt("SILENCE_S", 60))*time.Second)
	markets := envInt("MARKETS", 4)
	for i := 0; i < markets; i++ {
		go publish(ln.Addr().String(), i, envInt("RATE", 30000)/markets)
	}
	for range time.Tick(time.Second) {
		fmt.Printf("figure heap_in_use %.1f MB lower-is-better\n", heapMB())
	}
}
