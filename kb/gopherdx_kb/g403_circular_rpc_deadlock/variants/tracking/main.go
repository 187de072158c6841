// Command tracking follows parcels. Vans report to the depot, and both answer lines of text over TCP.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// station is a service: it answers one line with one line, and works on a few at a time.
type station struct {
	answer func(words []string) string
	slots  chan struct{}
}

func (s *station) listen() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go s.serve(conn)
		}
	}()
	return ln.Addr().String()
}

func (s *station) serve(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := conn.Write([]byte(s.work(line) + "\n")); err != nil {
			return
		}
	}
}

// work answers a line as soon as there is a slot.
func (s *station) work(line string) string {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	return s.answer(strings.Fields(line))
}

// peer is another station, as callers see it. It keeps connections for the next call.
type peer struct {
	address string
	mu      sync.Mutex
	idle    []*line
}

type line struct {
	conn net.Conn
	in   *bufio.Reader
}

func (p *peer) connect() (*line, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return l, nil
	}
	p.mu.Unlock()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return nil, err
	}
	return &line{conn, bufio.NewReader(conn)}, nil
}

// ask sends a question and waits for the answer.
func (p *peer) ask(question string) (string, error) {
	l, err := p.connect()
	if err != nil {
		return "", err
	}
	answer, err := l.roundTrip(question)
	if err != nil {
		l.conn.Close()
		return "", err
	}
	p.mu.Lock()
	p.idle = append(p.idle, l)
	p.mu.Unlock()
	return strings.TrimSpace(answer), nil
}

func (l *line) roundTrip(question string) (string, error) {
	if _, err := l.conn.Write([]byte(question + "\n")); err != nil {
		return "", err
	}
	return l.in.ReadString('\n')
}

type depot struct {
	fleet   *peer
	located atomic.Int64
}

// answer tells where a parcel is, or the gate at which a van is expected.
func (d *depot) answer(words []string) string {
	switch words[0] {
	case "where":
		at, err := d.fleet.ask("position " + words[1])
		if err != nil {
			return "unknown"
		}
		d.located.Add(1)
		return at
	case "gate":
		van, _ := strconv.Atoi(words[1])
		return fmt.Sprintf("gate %d", van%12)
	}
	return "what?"
}

type fleet struct {
	depot *peer
}

// answer tells how far a parcel's van is from its gate.
func (f *fleet) answer(words []string) string {
	parcel, err := strconv.Atoi(words[1])
	if err != nil {
		return "what?"
	}
	gate, err := f.depot.ask(fmt.Sprintf("gate %d", parcel%40))
	if err != nil {
		return "unknown gate"
	}
	return fmt.Sprintf("van %d, %d km from %s", parcel%40, parcel%90, gate)
}

// follow asks for one parcel after another.
func follow(n int, depot *peer) {
	for i := 0; ; i++ {
		if _, err := depot.ask(fmt.Sprintf("where %d", n*1000+i%1000)); err != nil {
			log.Print(err)
		}
		time.Sleep(4 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	slots := envInt("SLOTS", 5)
	d, f := &depot{}, &fleet{}
	forDepot := &station{answer: d.answer, slots: make(chan struct{}, slots)}
	forFleet := &station{answer: f.answer, slots: make(chan struct{}, 2*slots)}
	depotAt := &peer{address: forDepot.listen()}
	f.depot = &peer{address: depotAt.address}
	d.fleet = &peer{address: forFleet.listen()}
	for i := 0; i < envInt("CONCURRENCY", 16); i++ {
		go follow(i, depotAt)
	}
	last := d.located.Load()
	for range time.Tick(time.Second) {
		now := d.located.Load()
		fmt.Printf("figure located %d per_s higher-is-better\n", now-last)
		last = now
	}
}
