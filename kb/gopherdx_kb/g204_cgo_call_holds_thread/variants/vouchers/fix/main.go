// Command vouchers books payments. Each entry goes through a C library to a store that writes one block at a time.
package main

/*
#include <pthread.h>
#include <stdint.h>
#include <time.h>

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER;
static uint64_t height;

// store_append adds n amounts as one block and returns when the device has it. The device takes 4 ms a block.
static uint64_t store_append(const int64_t *amounts, int n) {
	struct timespec device = {0, 4000000};
	pthread_mutex_lock(&store);
	uint64_t h = height;
	for (int i = 0; i < n; i++) {
		h = h * 1099511628211u ^ (uint64_t)amounts[i];
	}
	nanosleep(&device, 0);
	height = h;
	pthread_mutex_unlock(&store);
	return h;
}
*/
import "C"

import (
	"fmt"
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

type entry struct {
	amount int64
	booked chan uint64
}

type book struct {
	entries chan entry
	booked  atomic.Int64
	spentNs atomic.Int64
}

// snippet:start
// put books an amount and returns the height of the book with it.
func (b *book) put(amount int64) uint64 {
	if amount == 0 {
		return 0 // nothing to book
	}
	e := entry{amount, make(chan uint64, 1)}
	b.entries <- e
	return <-e.booked
}

// write takes whatever waits and books it as one block: one thread in the library, however many ask.
func (b *book) write() {
	for e := range b.entries {
		batch, amounts := []entry{e}, []C.int64_t{C.int64_t(e.amount)}
		for more := true; more && len(batch) < 256; {
			select {
			case e := <-b.entries:
				batch, amounts = append(batch, e), append(amounts, C.int64_t(e.amount))
			default:
				more = false
			}
		}
		height := uint64(C.store_append(&amounts[0], C.int(len(amounts))))
		for _, e := range batch {
			e.booked <- height
		}
	}
}

// snippet:end

func (b *book) post(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	amount, err := strconv.ParseInt(r.URL.Query().Get("amount"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%016x\n", b.put(amount))
	b.spentNs.Add(int64(time.Since(start)))
	b.booked.Add(1)
}

func till(client *http.Client, url string) {
	for {
		resp, err := client.Post(url+"?amount="+strconv.Itoa(rand.Intn(1e6)), "", nil)
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(time.Duration(rand.Intn(4)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	b := &book{entries: make(chan entry, 256)}
	go b.write()
	mux := http.NewServeMux()
	mux.HandleFunc("/entries", b.post)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	for i := 0; i < envInt("CONCURRENCY", 40); i++ {
		go till(client, "http://"+ln.Addr().String()+"/entries")
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := b.booked.Load(), b.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure booking_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
