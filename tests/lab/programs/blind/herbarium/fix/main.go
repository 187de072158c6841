// Command herbarium keeps an index of pressed plants, which it takes over from the head office whenever there is a new
// edition, and meanwhile answers where a plant was found.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type sheet struct {
	number, height       int
	species, place, club string
}

// index is one edition, ready to be asked.
type index struct {
	edition   string
	bySpecies map[string][]sheet
}

func (ix *index) put(s sheet) { ix.bySpecies[s.species] = append(ix.bySpecies[s.species], s) }

type herbarium struct {
	current atomic.Pointer[index]
	client  *http.Client
	from    string
}

// renew takes over the newest edition.
func (h *herbarium) renew() error {
	body, err := h.fetch("/edition.json")
	if err != nil {
		return err
	}
	defer body.Close()
	ix, err := h.read(body)
	if err != nil {
		return err
	}
	h.current.Store(ix)
	return nil
}

func (h *herbarium) fetch(path string) (io.ReadCloser, error) {
	resp, err := h.client.Get(h.from + path)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	return resp.Body, nil
}

// entry is what is wanted of a sheet in the document.
type entry struct {
	Number, Height int
	Species, Place string
	Finder         struct{ Club string }
}

// read takes the sheets one by one from the document.
func (h *herbarium) read(body io.Reader) (*index, error) {
	ix := &index{bySpecies: map[string][]sheet{}}
	dec := json.NewDecoder(body)
	for {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if token == "sheets" {
			break
		}
		if token == "edition" {
			if err := dec.Decode(&ix.edition); err != nil {
				return nil, err
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	for dec.More() {
		var e entry
		if err := dec.Decode(&e); err != nil {
			return nil, err
		}
		ix.put(sheet{e.Number, e.Height, e.Species, e.Place, e.Finder.Club})
	}
	return ix, nil
}

// places answers where a species was found.
func (h *herbarium) places(w http.ResponseWriter, r *http.Request) {
	ix := h.current.Load()
	if ix == nil {
		http.Error(w, "no edition yet", http.StatusServiceUnavailable)
		return
	}
	found := map[string]int{}
	for i, s := range ix.bySpecies[r.URL.Query().Get("species")] {
		if i == 200 {
			break
		}
		found[s.place]++
	}
	json.NewEncoder(w).Encode(found)
}

// visitors ask about one plant after the other.
func visitors(url string, count int, pause time.Duration) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: count}}
	for i := 0; i < count; i++ {
		i := i
		go func() {
			for n := i; ; n++ {
				resp, err := client.Get(fmt.Sprintf("%s/places?species=carex-%d", url, n%400))
				if err != nil {
					log.Print(err)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				time.Sleep(pause)
			}
		}()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func serve(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

func main() {
	h := &herbarium{client: &http.Client{}, from: serve(office(envInt("SHEETS", 40_000)))}
	mux := http.NewServeMux()
	mux.HandleFunc("/places", h.places)
	go visitors(serve(mux), envInt("VISITORS", 6), 20*time.Millisecond)

	var began, took atomic.Int64 // Unix milliseconds, milliseconds
	began.Store(time.Now().UnixMilli())
	go func() {
		for {
			start := time.Now()
			began.Store(start.UnixMilli())
			if err := h.renew(); err != nil {
				log.Fatal(err)
			}
			took.Store(time.Since(start).Milliseconds())
			time.Sleep(150 * time.Millisecond)
		}
	}()
	for now := range time.Tick(time.Second) {
		ms := took.Load()
		if ms == 0 { // the first is still under way
			ms = now.UnixMilli() - began.Load()
		}
		fmt.Printf("figure renewal %d ms lower-is-better\n", ms)
	}
}
