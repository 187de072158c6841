// Command bookings runs the two services of a hotel: rooms takes bookings, guests knows the guests.
package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// limited answers at most n requests at a time; others wait until one is done.
func limited(n int, next http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slots <- struct{}{}
		defer func() { <-slots }()
		next.ServeHTTP(w, r)
	})
}

// get asks another service and decodes its answer.
func get(client *http.Client, address string, into any) error {
	resp, err := client.Get(address)
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
	return json.Unmarshal(body, into)
}

type rooms struct {
	guests string
	client *http.Client
	booked atomic.Int64
	mu     sync.Mutex
	stays  map[string]int
}

// staysOf says how often a guest has stayed here.
func (s *rooms) staysOf(guest string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stays[guest]
}

func (s *rooms) history(w http.ResponseWriter, r *http.Request) {
	json.NewEncoder(w).Encode(s.staysOf(r.FormValue("guest")))
}

type guests struct {
	rooms  string
	client *http.Client
}

// discount is what a guest with so many stays gets, in percent.
func discount(guest string, stays int) int {
	h := fnv.New32a()
	io.WriteString(h, guest)
	return (stays + int(h.Sum32()%5)) % 30
}

// snippet:start
func (s *rooms) book(w http.ResponseWriter, r *http.Request) {
	guest := r.FormValue("guest")
	var percent int
	if err := get(s.client, s.guests+"/discount?guest="+url.QueryEscape(guest), &percent); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.confirm(w, guest, percent)
}

func (s *guests) discount(w http.ResponseWriter, r *http.Request) {
	guest := r.FormValue("guest")
	var stays int // the rooms service knows
	if err := get(s.client, s.rooms+"/history?guest="+url.QueryEscape(guest), &stays); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	json.NewEncoder(w).Encode(discount(guest, stays))
}

// snippet:end

func (s *rooms) confirm(w http.ResponseWriter, guest string, percent int) {
	s.mu.Lock()
	s.stays[guest]++
	s.mu.Unlock()
	s.booked.Add(1)
	fmt.Fprintf(w, `{"guest": %q, "price": %d}`, guest, 120*(100-percent)/100)
}

func serve(ln net.Listener, limit int, routes map[string]http.HandlerFunc) {
	mux := http.NewServeMux()
	for path, handler := range routes {
		mux.HandleFunc(path, handler)
	}
	log.Fatal(http.Serve(ln, limited(limit, mux)))
}

func listen() (net.Listener, string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return ln, "http://" + ln.Addr().String()
}

// desk books one room after another and gives up on one that takes too long.
func desk(n int, base string, pause time.Duration) {
	client := &http.Client{Timeout: 20 * time.Second}
	for i := 0; ; i++ {
		resp, err := client.Post(fmt.Sprintf("%s/book?guest=guest-%d", base, (n*31+i)%211), "text/plain", nil)
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(pause)
	}
}

// report prints how many bookings were confirmed in each second.
func (s *rooms) report() {
	last := s.booked.Load()
	for range time.Tick(time.Second) {
		now := s.booked.Load()
		fmt.Printf("figure bookings %d per_s higher-is-better\n", now-last)
		last = now
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	limit := envInt("LIMIT", 8)
	forRooms, roomsAt := listen()
	forGuests, guestsAt := listen()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	r := &rooms{guests: guestsAt, client: client, stays: map[string]int{}}
	g := &guests{rooms: roomsAt, client: client}
	go serve(forRooms, limit, map[string]http.HandlerFunc{"/book": r.book, "/history": r.history})
	go serve(forGuests, limit, map[string]http.HandlerFunc{"/discount": g.discount})
	for i := 0; i < envInt("CONCURRENCY", 24); i++ {
		go desk(i, roomsAt, 25*time.Millisecond)
	}
	r.report()
}
