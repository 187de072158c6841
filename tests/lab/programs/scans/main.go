// Command scans answers questions about files, and checks the stored ones now and then with a C library.
package main

/*
#include <stdint.h>

static uint64_t scan(uint64_t seed, int rounds) {
	for (int i = 0; i < rounds; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
	}
	return seed;
}
*/
import "C"

import (
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type store struct {
	names   [4096]string
	verdict atomic.Uint64
	asked   atomic.Int64
	spentNs atomic.Int64
}

// check goes through the store in the background.
func (s *store) check(rounds int) {
	for seed := uint64(1); ; seed++ {
		s.verdict.Store(uint64(C.scan(C.uint64_t(seed), C.int(rounds))))
		time.Sleep(600 * time.Millisecond)
	}
}

func (s *store) file(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.URL.Query().Get("id"))
	sum := uint32(0)
	for i := 0; i < 64; i++ {
		sum = crc32.Update(sum, crc32.IEEETable, []byte(s.names[(id+i)%len(s.names)]))
	}
	fmt.Fprintf(w, "%08x %x\n", sum, s.verdict.Load())
}

func (s *store) client(client *http.Client, url string) {
	for {
		start := time.Now()
		resp, err := client.Get(url + "?id=" + strconv.Itoa(rand.Intn(4096)))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		s.spentNs.Add(int64(time.Since(start)))
		s.asked.Add(1)
		time.Sleep(time.Duration(10+rand.Intn(20)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &store{}
	for i := range s.names {
		s.names[i] = "file-" + strconv.Itoa(i*7919)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/file", s.file)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go s.client(client, "http://"+ln.Addr().String()+"/file")
	}
	go s.check(envInt("ROUNDS", 90_000_000))
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.asked.Load(), s.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure answer_time %.3f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
