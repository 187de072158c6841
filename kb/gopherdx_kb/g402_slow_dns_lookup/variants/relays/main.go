// Command relays takes letters in and hands each to the relay of its town, over a connection for each letter.
// It asks the name server at 127.0.0.1:53 for addresses, and is that name server.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var towns = []string{"mx.arden.test", "mx.birch.test", "mx.cedar.test", "mx.elder.test"}

type letter struct {
	town int
	text string
}

type office struct {
	port    string
	letters chan letter
	known   addresses
	sent    atomic.Int64
	spentNs atomic.Int64
}

// addresses is what is known of the towns' relays.
type addresses struct {
	mu sync.Mutex
	of map[string]string
}

func (a *addresses) get(host string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of[host]
}

func (a *addresses) put(host, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[host] = address
}

// snippet:start
// relay is a connection to the relay of a town.
func (o *office) relay(ctx context.Context, town string) (net.Conn, error) {
	var d net.Dialer
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	named := net.JoinHostPort(town, o.port)
	return d.DialContext(ctx, "tcp", named)
}

// snippet:end

// hand gives one letter to its relay and waits for the receipt.
func (o *office) hand(ctx context.Context, l letter) error {
	conn, err := o.relay(ctx, towns[l.town])
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\n", l.text); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}

// work hands letters on, one after the other.
func (o *office) work(ctx context.Context) {
	for l := range o.letters {
		start := time.Now()
		if err := o.hand(ctx, l); err != nil {
			log.Print(err)
			continue
		}
		o.spentNs.Add(int64(time.Since(start)))
		o.sent.Add(1)
	}
}

// receive is a town's relay.
func receive(conn net.Conn) {
	defer conn.Close()
	text, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	time.Sleep(2 * time.Millisecond)
	fmt.Fprintln(conn, len(text))
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
func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	pc, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		log.Fatal(err)
	}
	go names(pc, time.Duration(envInt("ANSWER_MS", 80))*time.Millisecond)
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
			go receive(conn)
		}
	}()
	ctx := context.Background()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	o := &office{port: port, letters: make(chan letter), known: addresses{of: map[string]string{}}}
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go o.work(ctx)
	}
	go func() {
		for i := 0; ; i++ {
			o.letters <- letter{i % len(towns), "letter " + strconv.Itoa(i)}
		}
	}()
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := o.sent.Load(), o.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure letter_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
