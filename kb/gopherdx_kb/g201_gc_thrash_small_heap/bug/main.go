// Command meters takes batches of readings as CSV over HTTP and keeps a running sum for each series.
package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type series struct{ host, meter string }

type sum struct {
	count int64
	total float64
}

type meters struct {
	mu      sync.Mutex
	sums    map[series]*sum
	batches atomic.Int64
	spentNs atomic.Int64
	bodies  sync.Pool
}

func (m *meters) size() (n int, readings int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sums {
		readings += s.count
	}
	return len(m.sums), readings
}

// snippet:start
// fold adds rows such as "rack017,channel05,17.5,1700000000" to the sums.
func (m *meters) fold(body *bytes.Buffer) {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		row, err := csv.NewReader(strings.NewReader(lines.Text())).Read()
		if err != nil || len(row) != 4 {
			continue
		}
		value, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			continue
		}
		m.add(row[0], row[1], value)
	}
}

// snippet:end

func (m *meters) add(host, meter string, value float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sums[series{host, meter}]
	if s == nil {
		s = new(sum)
		m.sums[series{strings.Clone(host), strings.Clone(meter)}] = s
	}
	s.count++
	s.total += value
}

func (m *meters) post(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	body := m.bodies.Get().(*bytes.Buffer)
	defer m.bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 4<<20)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.fold(body)
	m.spentNs.Add(int64(time.Since(start)))
	m.batches.Add(1)
	w.WriteHeader(http.StatusNoContent)
}

// report prints the mean time of a batch, second by second.
func (m *meters) report() {
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := m.batches.Load(), m.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure batch_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}

const (
	hosts      = 300
	meterCount = 100
)

// register makes the sums of all known series, so that the first readings find them.
func (m *meters) register() {
	for h := 0; h < hosts; h++ {
		for c := 0; c < meterCount; c++ {
			m.sums[series{fmt.Sprintf("rack%03d", h), fmt.Sprintf("channel%02d", c)}] = new(sum)
		}
	}
}

// makeBatch writes lines readings of all hosts and meters.
func makeBatch(rng *rand.Rand, lines int) []byte {
	var b bytes.Buffer
	for i := 0; i < lines; i++ {
		fmt.Fprintf(&b, "rack%03d,channel%02d,%d.5,%d\n",
			rng.Intn(hosts), rng.Intn(meterCount), rng.Intn(900), 1_700_000_000+i)
	}
	return b.Bytes()
}

func send(base string, seed int64, rate int) {
	batch := makeBatch(rand.New(rand.NewSource(seed)), 1000)
	for range time.Tick(time.Second / time.Duration(rate)) {
		resp, err := http.Post(base+"/readings", "text/csv", bytes.NewReader(batch))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	m := &meters{sums: make(map[series]*sum)}
	m.register()
	m.bodies.New = func() any { return new(bytes.Buffer) }

	mux := http.NewServeMux()
	mux.HandleFunc("/readings", m.post)
	mux.HandleFunc("/series", func(w http.ResponseWriter, r *http.Request) {
		n, readings := m.size()
		fmt.Fprintln(w, n, readings)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()

	senders := envInt("CONCURRENCY", 4)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = senders + 1
	for i := 0; i < senders; i++ {
		go send(base, int64(i), envInt("RATE", 30))
	}
	go func() {
		for range time.Tick(300 * time.Millisecond) {
			if resp, err := http.Get(base + "/series"); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
	}()
	m.report()
}
