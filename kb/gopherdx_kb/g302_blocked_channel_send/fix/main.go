// Command orders takes orders over HTTP, settles each in the background and hands the receipts to a shipper.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type order struct {
	ID    int      `json:"id"`
	Buyer string   `json:"buyer"`
	Lines []string `json:"lines"`
}

type receipt struct {
	order    int
	checksum uint32
	text     string
}

// sink is the file behind the shipper. Now and then it must be rotated, and the write that meets that fails.
type sink struct {
	w         io.Writer
	written   int
	rotateAt  int
	delivered *atomic.Int64
}

var errRotated = errors.New("sink: rotated")

func (s *sink) write(r receipt) error {
	s.written++
	if s.written%s.rotateAt == 0 {
		return errRotated
	}
	s.delivered.Add(1)
	_, err := fmt.Fprintf(s.w, "%d %08x %s\n", r.order, r.checksum, r.text)
	return err
}

type desk struct {
	receipts  chan receipt
	sink      sink
	accepted  atomic.Int64
	delivered atomic.Int64
	recent    recent
}

// recent remembers the last orders for the status page.
type recent struct {
	mu  sync.Mutex
	ids [32]int
	n   int
}

func (r *recent) add(id int) {
	r.mu.Lock()
	r.ids[r.n%len(r.ids)] = id
	r.n++
	r.mu.Unlock()
}

func (r *recent) list() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int(nil), r.ids[:min(r.n, len(r.ids))]...)
}

// snippet:start
func (d *desk) settle(ctx context.Context, o order) {
	r := receipt{order: o.ID, checksum: crc32.ChecksumIEEE([]byte(o.Buyer))}
	r.text = strings.Join(o.Lines, ";")
	select {
	case d.receipts <- r:
	case <-ctx.Done(): // nobody takes it in time: give up, do not wait for ever
		log.Printf("receipt %d: %v", o.ID, ctx.Err())
	}
}

func (d *desk) ship() {
	for r := range d.receipts {
		if err := d.sink.write(r); err != nil {
			log.Printf("receipt %d: %v", r.order, err)
			continue // the senders still count on this loop
		}
	}
}

// snippet:end

func (d *desk) post(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.accepted.Add(1)
	d.recent.add(o.ID)
	go func() { // the answer does not wait for the receipt
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		d.settle(ctx, o)
	}()
	w.WriteHeader(http.StatusAccepted)
}

func (d *desk) status(w http.ResponseWriter, r *http.Request) {
	json.NewEncoder(w).Encode(map[string]any{"accepted": d.accepted.Load(), "recent": d.recent.list()})
}

// report prints how many receipts were delivered in each second.
func (d *desk) report() {
	last := d.delivered.Load()
	for range time.Tick(time.Second) {
		now := d.delivered.Load()
		fmt.Printf("figure receipts %d per_s higher-is-better\n", now-last)
		last = now
	}
}

func buy(base string, rate int) {
	lines := []string{"2 x bolt M6", "1 x wrench", "12 x washer 6 mm"}
	id := 0
	for range time.Tick(time.Second / time.Duration(rate)) {
		id++
		body := fmt.Sprintf(`{"id": %d, "buyer": "buyer-%d", "lines": ["%s"]}`, id, id%97, strings.Join(lines, `","`))
		resp, err := http.Post(base+"/orders", "application/json", strings.NewReader(body))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func watch(url string) {
	for range time.Tick(200 * time.Millisecond) {
		if resp, err := http.Get(url); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	d := &desk{receipts: make(chan receipt, 64)}
	d.sink = sink{w: io.Discard, rotateAt: 100, delivered: &d.delivered}
	go d.ship()

	// Couriers wait for parcels; this desk sends none by itself.
	parcels := make(chan receipt)
	for i := 0; i < 3; i++ {
		go func() {
			for p := range parcels {
				log.Printf("parcel %d", p.order)
			}
		}()
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/orders", d.post)
	mux.HandleFunc("/status", d.status)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()
	go buy(base, envInt("RATE", 200))
	go watch(base + "/status")
	d.report()
}
