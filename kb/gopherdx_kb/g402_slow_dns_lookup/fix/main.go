// Command couriers passes events on: whoever subscribed to them has an address that wants a request for each.
// It asks the name server at 127.0.0.1:53 for addresses, and is that name server.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type couriers struct {
	client  *http.Client
	port    string
	passed  atomic.Int64
	spentNs atomic.Int64
}

// snippet:start
// deliver hands an event to one subscriber.
func (c *couriers) deliver(ctx context.Context, url string, event []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req) // one client for all: its connections stay, and with them the addresses
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body) // a connection is used again only when its answer was read to the end
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// snippet:end

// event takes an event in and answers when its subscriber has it.
func (c *couriers) event(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	url := "http://inbox" + r.URL.Query().Get("to") + ".parcels.test:" + c.port + "/inbox"
	if err := c.deliver(r.Context(), url, event); err != nil {
		log.Print(err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusNoContent)
	c.spentNs.Add(int64(time.Since(start)))
	c.passed.Add(1)
}

func inbox(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	time.Sleep(3 * time.Millisecond)
	fmt.Fprintln(w, n, "bytes taken")
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

// source reports one event after another.
func source(client *http.Client, url string) {
	event := bytes.Repeat([]byte("event "), 50)
	for i := 0; ; i++ {
		resp, err := client.Post(url+"?to="+strconv.Itoa(i%8), "text/plain", bytes.NewReader(event))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(10 * time.Millisecond)
	}
}

func listen(mux http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	return ln.Addr().String()
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
	go names(pc, time.Duration(envInt("ANSWER_MS", 120))*time.Millisecond)
	mux := http.NewServeMux()
	mux.HandleFunc("/inbox", inbox)
	_, port, _ := net.SplitHostPort(listen(mux))
	c := &couriers{port: port, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	mux = http.NewServeMux()
	mux.HandleFunc("/events", c.event)
	url := "http://" + listen(mux) + "/events"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for i := 0; i < envInt("CONCURRENCY", 12); i++ {
		go source(client, url)
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := c.passed.Load(), c.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure event_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
