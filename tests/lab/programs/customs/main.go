// Command customs takes in declarations of goods over HTTP and tells how far each of them is.
package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

type office struct {
	db *sql.DB
}

func openOffice(a archive) *office {
	o := &office{db: sql.OpenDB(a)}
	o.db.SetMaxOpenConns(4)
	o.db.SetMaxIdleConns(4)
	o.db.SetConnMaxLifetime(time.Hour)
	return o
}

// declare takes in a declaration.
func (o *office) declare(w http.ResponseWriter, r *http.Request) {
	var d declaration
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&d); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := d.check(); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// progress says how far a declaration is.
func (o *office) progress(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseInt(r.URL.Query().Get("number"), 10, 64)
	if err != nil {
		http.Error(w, "number: want a number", http.StatusBadRequest)
		return
	}
	var state string
	row := o.db.QueryRowContext(r.Context(), "SELECT state FROM declarations WHERE number = ?", number)
	if err := row.Scan(&state); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "%d: %s\n", number, state)
}

func closed(resp *http.Response, err error) {
	if err != nil {
		log.Print(err)
		time.Sleep(10 * time.Millisecond)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// ask is someone who waits for goods and asks again and again where they are.
func ask(base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		closed(http.Get(base + "/progress?number=" + strconv.Itoa(rng.Intn(100_000))))
		time.Sleep(time.Duration(rng.Intn(8)) * time.Millisecond)
	}
}

// send is a carrier's system, which declares what its lorries bring.
func send(base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		body, err := json.Marshal(sample(rng))
		if err != nil {
			log.Fatal(err)
		}
		closed(http.Post(base+"/declare", "application/json", bytes.NewReader(body)))
		time.Sleep(time.Duration(2+rng.Intn(6)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	o := openOffice(archive{time.Duration(envInt("READ_MS", 8)) * time.Millisecond})
	mux := http.NewServeMux()
	mux.HandleFunc("/declare", o.declare)
	mux.HandleFunc("/progress", o.progress)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	carriers, people := envInt("CARRIERS", 12), envInt("PEOPLE", 24)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = carriers + people
	base := "http://" + ln.Addr().String()
	for i := 0; i < people; i++ {
		go ask(base, int64(i))
	}
	for i := 0; i < carriers; i++ {
		go send(base, int64(i))
	}
	log.Fatal(http.Serve(ln, mux))
}
