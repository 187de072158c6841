// Command spectra tells which frequencies are in the recordings of a few microphones. The arithmetic is a C library's.
package main

/*
#cgo LDFLAGS: -lm
#include "bands.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// microphone holds what was recorded last.
type microphone struct {
	name    string
	samples []float64
}

func newMicrophone(n, samples int) *microphone {
	m := &microphone{name: fmt.Sprintf("mic-%d", n), samples: make([]float64, samples)}
	for i := range m.samples {
		m.samples[i] = math.Sin(float64(i*(n+3))/7) + math.Sin(float64(i)/float64(n+2))/2
	}
	return m
}

type analyser struct {
	bands int
}

// strongest returns the strongest of the bands of a recording.
func (a *analyser) strongest(samples []float64) int {
	out := make([]float64, a.bands)
	a.transform(samples, out)
	best := 0
	for b, v := range out {
		if v > out[best] {
			best = b
		}
	}
	return best
}

// transform fills out with the strength of each band.
func (a *analyser) transform(samples, out []float64) {
	C.band_strengths((*C.double)(unsafe.Pointer(&samples[0])), C.int(len(samples)),
		(*C.double)(unsafe.Pointer(&out[0])), C.int(len(out)))
}

type station struct {
	microphones []*microphone
	analyser    *analyser
}

func (s *station) microphone(r *http.Request) (*microphone, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get("mic"))
	if err != nil || n < 0 {
		return nil, false
	}
	return s.microphones[n%len(s.microphones)], true
}

func (s *station) spectrum(w http.ResponseWriter, r *http.Request) {
	m, ok := s.microphone(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"mic": m.name, "band": s.analyser.strongest(m.samples)})
}

func (s *station) level(w http.ResponseWriter, r *http.Request) {
	m, ok := s.microphone(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := 0.0
	for _, v := range m.samples[:200] {
		sum += v * v
	}
	json.NewEncoder(w).Encode(map[string]any{"mic": m.name, "level": math.Sqrt(sum / 200)})
}

func get(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err != nil {
		log.Print(err)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// gauge collects how long answers took.
type gauge struct {
	mu   sync.Mutex
	took []time.Duration
}

func (g *gauge) add(d time.Duration) {
	g.mu.Lock()
	g.took = append(g.took, d)
	g.mu.Unlock()
}

// p90 returns the 90th percentile since it was asked last.
func (g *gauge) p90() (time.Duration, bool) {
	g.mu.Lock()
	took := g.took
	g.took = nil
	g.mu.Unlock()
	if len(took) == 0 {
		return 0, false
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took[len(took)*9/10], true
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &station{analyser: &analyser{bands: envInt("BANDS", 700)}}
	for n := 0; n < 6; n++ {
		s.microphones = append(s.microphones, newMicrophone(n, 8000))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/spectrum", s.spectrum)
	mux.HandleFunc("/level", s.level)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()

	url := "http://" + ln.Addr().String()
	listeners := envInt("LISTENERS", 14)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: listeners + 20}}
	for i := 0; i < listeners; i++ {
		own := fmt.Sprintf("%s/spectrum?mic=%d", url, i)
		go func() {
			for {
				get(client, own)
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
	var levels gauge
	go func() {
		for due := range time.Tick(time.Second / time.Duration(envInt("LEVELS", 80))) {
			due := due
			go func() {
				get(client, url+"/level?mic=1")
				levels.add(time.Since(due))
			}()
		}
	}()
	for range time.Tick(time.Second) {
		if d, ok := levels.p90(); ok {
			fmt.Printf("figure level_p90 %.2f ms lower-is-better\n", float64(d.Microseconds())/1000)
		}
	}
}
