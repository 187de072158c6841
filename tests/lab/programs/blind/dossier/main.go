// Command dossier puts together what the offices of a harbour town know of a boat: who owns it, where it lies, what is
// owed for it, when it was surveyed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// folder is what goes to whoever asked. Each part fills in its own field.
type folder struct {
	Boat   string `json:"boat"`
	Owner  string `json:"owner"`
	Berth  int    `json:"berth"`
	Owed   int    `json:"owed"`
	Survey string `json:"survey"`
}

// part is one office's piece of the folder.
type part interface {
	fill(ctx context.Context, f *folder) error
}

type counter struct{ client *http.Client }

func newCounter(socket string) counter {
	var d net.Dialer
	return counter{&http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 32,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", socket)
		},
	}}}
}

func (c counter) ask(ctx context.Context, boat string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://office/?boat="+url.QueryEscape(boat), nil)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(answer)
}

type (
	registry  struct{ counter }
	moorings  struct{ counter }
	treasury  struct{ counter }
	surveyors struct{ counter }
)

func (o registry) fill(ctx context.Context, f *folder) error  { return o.ask(ctx, f.Boat, &f.Owner) }
func (o moorings) fill(ctx context.Context, f *folder) error  { return o.ask(ctx, f.Boat, &f.Berth) }
func (o treasury) fill(ctx context.Context, f *folder) error  { return o.ask(ctx, f.Boat, &f.Owed) }
func (o surveyors) fill(ctx context.Context, f *folder) error { return o.ask(ctx, f.Boat, &f.Survey) }

type desk struct{ parts []part }

// compile fills a folder.
func (d *desk) compile(ctx context.Context, boat string) (*folder, error) {
	f := &folder{Boat: boat}
	for _, p := range d.parts {
		if err := p.fill(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := d.compile(r.Context(), r.URL.Query().Get("boat"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	json.NewEncoder(w).Encode(f)
}

// limited gives each request a time limit; named says in the answer who gave it.
func limited(d time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func named(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", name)
		next.ServeHTTP(w, r)
	})
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	ms := time.Millisecond
	d := &desk{parts: []part{
		registry{newCounter(openOffice("registry", 12*ms, func(boat string) any { return "owner of " + boat }))},
		moorings{newCounter(openOffice("moorings", 9*ms, func(boat string) any { return len(boat) }))},
		treasury{newCounter(openOffice("treasury", 15*ms, func(string) any { return 120 }))},
		surveyors{newCounter(openOffice("surveyors", 11*ms, func(string) any { return "in May" }))},
	}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, named("dossier", limited(3*time.Second, d)))) }()

	visitors := envInt("VISITORS", 8)
	pause := time.Duration(envInt("PAUSE_MS", 25)) * time.Millisecond
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: visitors}}
	var folders, micros atomic.Int64
	for i := 0; i < visitors; i++ {
		boat := fmt.Sprintf("http://%s/?boat=gull-%d", ln.Addr(), i)
		go func() {
			for {
				start := time.Now()
				resp, err := client.Get(boat)
				if err != nil {
					log.Print(err)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				micros.Add(time.Since(start).Microseconds())
				folders.Add(1)
				time.Sleep(pause)
			}
		}()
	}
	for range time.Tick(time.Second) {
		n, sum := folders.Swap(0), micros.Swap(0)
		if n > 0 {
			fmt.Printf("figure folder %.2f ms lower-is-better\n", float64(sum)/float64(n)/1000)
		}
	}
}
