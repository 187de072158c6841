// Command apothecary checks prescriptions: a JSON service with types for all that it reads and writes, and a cache of
// what was worked out for each remedy.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
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

type prescription struct {
	Patient string  `json:"patient"`
	Weight  float64 `json:"weight_kg"`
	Items   []item  `json:"items"`
}

type item struct {
	Remedy string  `json:"remedy"`
	Grams  float64 `json:"grams"`
}

type verdict struct {
	Patient string   `json:"patient"`
	Refused []string `json:"refused"`
	Total   float64  `json:"total_g"`
}

// bounds is how much of a remedy is allowed for each kilogram of a patient.
type bounds struct{ low, high float64 }

var (
	remedies   = regexp.MustCompile(`^[a-z]{3,12}-[0-9]{1,3}$`)
	errUnknown = errors.New("nobody knows this remedy")
)

type apothecary struct {
	bounds *shelf[bounds]
	bodies sync.Pool
}

// workOut finds the bounds of a remedy by going through its trials.
func workOut(remedy string) (bounds, error) {
	if !remedies.MatchString(remedy) {
		return bounds{}, errUnknown
	}
	b := bounds{low: 1e9}
	for i := 0; i < 2000; i++ {
		dose := float64((i*7919+len(remedy)*104729)%1000) / 2000
		if dose < b.low {
			b.low = dose
		}
		if dose > b.high {
			b.high = dose
		}
	}
	return b, nil
}

func (a *apothecary) check(p *prescription) (verdict, error) {
	v := verdict{Patient: p.Patient, Refused: []string{}}
	for _, it := range p.Items {
		b, err := a.bounds.get(it.Remedy, workOut)
		if err != nil {
			return v, err
		}
		if it.Grams < b.low*p.Weight || it.Grams > b.high*p.Weight {
			v.Refused = append(v.Refused, it.Remedy)
			continue
		}
		v.Total += it.Grams
	}
	return v, nil
}

func (a *apothecary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := a.bodies.Get().(*bytes.Buffer)
	defer a.bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<14)); err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	var p prescription
	if err := json.Unmarshal(body.Bytes(), &p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v, err := a.check(&p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// doctor writes prescriptions.
func doctor(client *http.Client, url string, id int, pause time.Duration, checked *atomic.Int64) {
	for n := id * 17; ; n++ {
		p := prescription{Patient: fmt.Sprintf("patient %d", n%5000), Weight: float64(40 + n%60)}
		for i := 0; i < 3; i++ {
			p.Items = append(p.Items, item{fmt.Sprintf("arnica-%d", (n*3+i*i)%900), float64(n % 30)})
		}
		body, err := json.Marshal(p)
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			checked.Add(1)
		}
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
	a := &apothecary{bounds: newShelf[bounds](16, 50)}
	a.bodies.New = func() any { return new(bytes.Buffer) }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal((&http.Server{Handler: a, ReadHeaderTimeout: time.Second}).Serve(ln)) }()
	doctors := envInt("DOCTORS", 16)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: doctors}}
	var checked atomic.Int64
	for i := 0; i < doctors; i++ {
		go doctor(client, "http://"+ln.Addr().String(), i, time.Duration(envInt("PAUSE_MS", 10))*time.Millisecond, &checked)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := checked.Load()
		fmt.Printf("figure checked %d per_s higher-is-better\n", now-last)
		last = now
	}
}
