// Command depots runs a warehouse and its supplier as two processes: it starts itself once more as the supplier.
// Both speak HTTP and answer a few requests at a time.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// docks are the places at which trucks, that is requests, are handled.
type docks struct {
	free chan struct{}
}

func (d docks) enter(ctx context.Context) bool {
	select {
	case d.free <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d docks) leave() { <-d.free }

// ask posts a question to the other depot and decodes what it answers.
func ask(address string, question, answer any) error {
	asked, err := json.Marshal(question)
	if err != nil {
		return err
	}
	resp, err := client.Post(address, "application/json", bytes.NewReader(asked))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, resp.Status)
	}
	body, err := io.ReadAll(resp.Body) // to its end, so that the connection serves again
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}

type item struct {
	ID    int `json:"id"`
	Count int `json:"count"`
}

type warehouse struct {
	docks    docks
	supplier string
	shipped  atomic.Int64
	mu       sync.Mutex
	stock    map[int]int
}

// order ships an item, and has the supplier refill what becomes scarce.
func (h *warehouse) order(w http.ResponseWriter, r *http.Request) {
	if !h.docks.enter(r.Context()) {
		return
	}
	defer h.docks.leave()
	var want, sent item
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := ask(h.supplier+"/refill", want, &sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	h.mu.Lock()
	h.stock[want.ID] += sent.Count - want.Count
	h.mu.Unlock()
	h.shipped.Add(1)
	json.NewEncoder(w).Encode(want)
}

// count tells how many of an item there are.
func (h *warehouse) count(w http.ResponseWriter, r *http.Request) {
	if !h.docks.enter(r.Context()) {
		return
	}
	defer h.docks.leave()
	var of item
	if err := json.NewDecoder(r.Body).Decode(&of); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	of.Count = h.stock[of.ID]
	h.mu.Unlock()
	json.NewEncoder(w).Encode(of)
}

type supplier struct {
	docks     docks
	warehouse string
}

// refill sends as many as the warehouse lacks.
func (s *supplier) refill(w http.ResponseWriter, r *http.Request) {
	if !s.docks.enter(r.Context()) {
		return
	}
	defer s.docks.leave()
	var want, there item
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := ask(s.warehouse+"/count", want, &there); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	json.NewEncoder(w).Encode(item{want.ID, max0(want.Count + 50 - there.Count)})
}

func max0(n int) int {
	if n < 0 {
		return 0
	}
	return n
}

// lifeline is the supplier's standard input. It ends when this process does.
var lifeline io.Closer

// other starts the supplier as a process of its own, which ends with this one, and returns its address.
func other(warehouse string) string {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	ln := listen()
	port, err := ln.File()
	if err != nil {
		log.Fatal(err)
	}
	ln.Close() // its file stays open, and the supplier takes it over
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "WAREHOUSE="+warehouse)
	cmd.ExtraFiles = []*os.File{port}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if out := os.Getenv("LAB_OUT"); out != "" { // what it records lies beside what this one records
		out = filepath.Join(out, "peer")
		if err := os.MkdirAll(out, 0o755); err != nil {
			log.Fatal(err)
		}
		os.Setenv("LAB_LINGER", "0.5") // neither goes while the other is being recorded
		cmd.Env = append(cmd.Env, "LAB_OUT="+out, "LAB_LINGER=0.5")
		if cmd.Stderr, err = os.Create(filepath.Join(out, "gctrace.log")); err != nil {
			log.Fatal(err)
		}
	}
	if lifeline, err = cmd.StdinPipe(); err != nil {
		log.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	return "http://" + ln.Addr().String()
}

func listen() *net.TCPListener {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	return ln
}

func serve(ln net.Listener, routes map[string]http.HandlerFunc) {
	mux := http.NewServeMux()
	for path, handler := range routes {
		mux.HandleFunc(path, handler)
	}
	log.Fatal(http.Serve(ln, mux))
}

// shop orders one item after another.
func shop(n int, base string) {
	for i := 0; ; i++ {
		var got item
		if err := ask(base+"/order", item{(n*53 + i) % 300, 1 + i%7}, &got); err != nil {
			log.Print(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	d := docks{make(chan struct{}, envInt("DOCKS", 6))}
	if at := os.Getenv("WAREHOUSE"); at != "" {
		s := &supplier{docks: d, warehouse: at}
		ln, err := net.FileListener(os.NewFile(3, "listener"))
		if err != nil {
			log.Fatal(err)
		}
		go serve(ln, map[string]http.HandlerFunc{"/refill": s.refill})
		io.Copy(io.Discard, os.Stdin) // until the other one is gone
		time.Sleep(time.Second)
		return
	}
	h := &warehouse{docks: d, stock: map[int]int{}}
	ln := listen()
	base := "http://" + ln.Addr().String()
	h.supplier = other(base)
	go serve(ln, map[string]http.HandlerFunc{"/order": h.order, "/count": h.count})
	for i := 0; i < envInt("CONCURRENCY", 20); i++ {
		go shop(i, base)
	}
	last := h.shipped.Load()
	for range time.Tick(time.Second) {
		now := h.shipped.Load()
		fmt.Printf("figure shipped %d per_s higher-is-better\n", now-last)
		last = now
	}
}
