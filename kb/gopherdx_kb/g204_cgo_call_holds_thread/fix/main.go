// Command jackets keeps the jackets of a bookshop's books: it takes pictures in and fingerprints them with a C library, and
// answers what a basket of books costs.
package main

/*
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// jacket_print folds a grey picture into 32 bytes: it is smoothed until only its large shapes are left.
static void jacket_print(const uint8_t *picture, int side, uint8_t out[32]) {
	size_t n = (size_t)side * side;
	uint8_t *a = malloc(n), *b = malloc(n);
	memcpy(a, picture, n);
	for (int pass = 0; pass < 48; pass++) {
		for (int y = 1; y < side - 1; y++) {
			for (int x = 1; x < side - 1; x++) {
				const uint8_t *p = a + (size_t)y * side + x;
				int sum = p[0] * 4 + (p[-1] + p[1] + p[-side] + p[side]) * 2;
				sum += p[-side - 1] + p[-side + 1] + p[side - 1] + p[side + 1];
				b[(size_t)y * side + x] = (uint8_t)(sum >> 4);
			}
		}
		uint8_t *t = a;
		a = b;
		b = t;
	}
	memset(out, 0, 32);
	for (size_t i = 0; i < n; i++) {
		out[i % 32] = (uint8_t)(out[i % 32] * 31 + a[i]);
	}
	free(a);
	free(b);
}
*/
import "C"

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"
)

const side = 480

type print [32]byte

type shelf struct {
	seen    [4096]atomic.Int64 // by the first bits of a print
	prices  [5_000]int
	presses chan struct{} // one for each picture that may be worked on at a time
	taken   atomic.Int64
	priced  atomic.Int64
	spentNs atomic.Int64
}

// fingerprint is the picture's print, by the C library.
func fingerprint(picture []byte) print {
	var p print
	C.jacket_print((*C.uint8_t)(unsafe.Pointer(&picture[0])), side, (*C.uint8_t)(unsafe.Pointer(&p[0])))
	return p
}

// snippet:start
func (s *shelf) upload(w http.ResponseWriter, r *http.Request) {
	picture, err := io.ReadAll(http.MaxBytesReader(w, r.Body, side*side))
	if err != nil || len(picture) < side*side {
		http.Error(w, "not a picture", http.StatusBadRequest)
		return
	}
	select {
	case s.presses <- struct{}{}: // as many at once as there are cores for them
	case <-r.Context().Done():
		return
	}
	p := fingerprint(picture)
	<-s.presses
	fmt.Fprintf(w, "%x seen %d times\n", p, s.keep(p))
}

// snippet:end

// keep counts a print and returns how often one like it was seen.
func (s *shelf) keep(p print) int64 {
	s.taken.Add(1)
	return s.seen[(int(p[0])<<8|int(p[1]))%len(s.seen)].Add(1)
}

// price adds up a basket, and tells how it compares with all that the shop sells.
func (s *shelf) price(w http.ResponseWriter, r *http.Request) {
	book, _ := strconv.Atoi(r.URL.Query().Get("book"))
	prices := append([]int(nil), s.prices[:]...)
	sort.Ints(prices)
	own := s.prices[(book%len(s.prices)+len(s.prices))%len(s.prices)]
	fmt.Fprintf(w, "%d cents, dearer than %d others\n", own, sort.SearchInts(prices, own))
}

// publisher sends one picture after another.
func publisher(client *http.Client, url string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	picture := make([]byte, side*side)
	rng.Read(picture)
	for {
		rng.Read(picture[:64])
		resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(picture))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// customers ask for prices at a steady rate; an answer's time counts from when it was due.
func (s *shelf) customers(client *http.Client, url string, rate int) {
	period := time.Second / time.Duration(rate)
	waiting := make(chan struct{}, 256)
	for due := time.Now().Add(period); ; due = due.Add(period) {
		time.Sleep(time.Until(due))
		waiting <- struct{}{}
		go func(due time.Time) {
			defer func() { <-waiting }()
			resp, err := client.Get(url + "?book=" + strconv.Itoa(rand.Intn(100_000)))
			if err != nil {
				log.Print(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			s.spentNs.Add(int64(time.Since(due)))
			s.priced.Add(1)
		}(due)
	}
}

func (s *shelf) report() {
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.priced.Load(), s.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure price_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	cores := runtime.NumCPU()
	if p := runtime.GOMAXPROCS(0); p < cores {
		cores = p
	}
	s := &shelf{presses: make(chan struct{}, cores)}
	for i := range s.prices {
		s.prices[i] = 300 + i*7919%9700
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/jackets", s.upload)
	mux.HandleFunc("/price", s.price)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	for i := 0; i < envInt("CONCURRENCY", 32); i++ {
		go publisher(client, base+"/jackets", int64(i))
	}
	go s.customers(client, base+"/price", envInt("RATE", 50))
	s.report()
}
