// Command parcels tells over HTTP where a parcel is; the register of parcels is a database.
package main

import (
	"context"
	"database/sql"
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

// snippet:start
func open(addr string) *sql.DB {
	db := sql.OpenDB(dialer{addr})
	db.SetMaxOpenConns(4)
	return db
}

func (d *depot) find(ctx context.Context, parcel int) (string, error) {
	var place string
	err := d.db.QueryRowContext(ctx, "SELECT place FROM parcels WHERE id =", parcel).Scan(&place)
	return place, err
}

// snippet:end

type depot struct {
	db     *sql.DB
	served atomic.Int64
	spent  atomic.Int64
}

func (d *depot) status(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	parcel, err := strconv.Atoi(r.URL.Query().Get("parcel"))
	if err != nil || parcel < 0 {
		http.Error(w, "parcel: want a number", http.StatusBadRequest)
		return
	}
	place, err := d.find(r.Context(), parcel)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "parcel %d: %s\n", parcel, place)
	d.spent.Add(int64(time.Since(began)))
	d.served.Add(1)
}

// report prints the figure of each second.
func (d *depot) report() {
	last := d.served.Load()
	for range time.Tick(time.Second) {
		now := d.served.Load()
		fmt.Printf("figure lookups %d req/s higher-is-better\n", now-last)
		last = now
	}
}

func visit(base string, seed int64, pause time.Duration) {
	rng := rand.New(rand.NewSource(seed))
	for {
		resp, err := http.Get(base + "/status?parcel=" + strconv.Itoa(rng.Intn(100_000)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
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
	reg := &register{read: time.Duration(envInt("READ_MS", 8)) * time.Millisecond}
	for i := 0; i < 1000; i++ {
		reg.places = append(reg.places, fmt.Sprintf("shelf %03d", i))
	}
	d := &depot{db: open(reg.listen())}

	mux := http.NewServeMux()
	mux.HandleFunc("/status", d.status)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()

	base := "http://" + ln.Addr().String()
	clients := envInt("CONCURRENCY", 24)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go visit(base, int64(i), 2*time.Millisecond)
	}
	d.report()
}
