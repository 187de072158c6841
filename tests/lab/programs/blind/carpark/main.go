// Command carpark takes in what the barriers of a car park saw, and tells how many cars are inside.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// form is how a field has to look.
type form struct {
	name    string
	pattern string
}

var (
	plates = form{"plate", `^(?i:[a-zäöü]{1,3})-[A-Z]{1,2} ?[1-9][0-9]{0,3}[EH]?$`}
	bays   = form{"bay", `^(?:P[0-9]{1,2}|roof|ramp-(?:north|south))/[0-9]{3}$`}
	badges = form{"badge", `^(?:(?:day|week|staff):[0-9a-f]{8}|none)$`}
)

func (f *form) check(text []byte) error {
	ok, err := regexp.Match(f.pattern, text)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%q is no %s", text, f.name)
	}
	return nil
}

// floors is where the cars are.
type floors struct {
	mu     sync.Mutex
	inside map[plate]bay
}

func (f *floors) apply(seen []passage) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range seen {
		if p.Out {
			delete(f.inside, p.Plate)
			continue
		}
		f.inside[p.Plate] = p.Bay
	}
	return len(f.inside)
}

// failing is a handler that may fail.
type failing func(w http.ResponseWriter, r *http.Request) error

func (h failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	}
}

func (f *floors) passages(w http.ResponseWriter, r *http.Request) error {
	var seen []passage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&seen); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(map[string]int{"inside": f.apply(seen)})
}

// barrier reports a few cars at a time, and says how long it waited for the answer.
func barrier(client *http.Client, url string, id int, pause time.Duration, took func(time.Duration)) {
	for n := id * 1000; ; n++ {
		var seen []passage
		for i := 0; i < 4; i++ {
			seen = append(seen, passage{
				Plate: plate(fmt.Sprintf("HH-AB %d", 1+(n+i)%900)),
				Bay:   bay(fmt.Sprintf("P%d/%03d", n%30, i)),
				Badge: badge(fmt.Sprintf("week:%08x", n)),
				Out:   n%2 == 1,
			})
		}
		body, err := json.Marshal(seen)
		if err != nil {
			log.Fatal(err)
		}
		start := time.Now()
		resp, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			log.Fatal(resp.Status)
		}
		took(time.Since(start))
		time.Sleep(pause)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	f := &floors{inside: map[plate]bay{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/passages", failing(f.passages))
	go func() { log.Fatal(http.Serve(ln, mux)) }()

	barriers := envInt("BARRIERS", 12)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: barriers}}
	var reports, micros atomic.Int64
	for i := 0; i < barriers; i++ {
		go barrier(client, "http://"+ln.Addr().String()+"/passages", i, time.Duration(envInt("PAUSE_MS", 8))*time.Millisecond,
			func(d time.Duration) {
				reports.Add(1)
				micros.Add(d.Microseconds())
			})
	}
	for range time.Tick(time.Second) {
		n, sum := reports.Swap(0), micros.Swap(0)
		if n > 0 {
			fmt.Printf("figure answer %.3f ms lower-is-better\n", float64(sum)/float64(n)/1000)
		}
	}
}
