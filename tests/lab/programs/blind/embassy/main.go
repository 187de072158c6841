// Command embassy hands out visas. For each it has to ask the ministry, which takes its time and wants no more than a
// few questions at once, so that applicants wait in the hall: there is nothing to be mended here.
package main

import (
	"context"
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

// hall has seats for those whose question is with the ministry.
type hall chan struct{}

var errFull = errors.New("come again tomorrow")

func (h hall) sit(ctx context.Context) error {
	select {
	case h <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errFull
	}
}

func (h hall) rise() { <-h }

type embassy struct {
	hall     hall
	ministry string
	client   *http.Client
	patience time.Duration
}

func (e *embassy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), e.patience)
	defer cancel()
	if err := e.hall.sit(ctx); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer e.hall.rise()
	if err := e.ask(ctx, w, r.URL.Query().Get("name")); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// ask puts the one question to the ministry and passes on what it says.
func (e *embassy) ask(ctx context.Context, w io.Writer, name string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.ministry+"/?name="+name, nil)
	if err != nil {
		return err
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

func ministry(pause time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(pause)
		fmt.Fprintf(w, "%s may come\n", r.URL.Query().Get("name"))
	})
}

func serve(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	seats, applicants := envInt("SEATS", 10), envInt("APPLICANTS", 40)
	e := &embassy{
		hall:     make(hall, seats),
		ministry: serve(ministry(time.Duration(envInt("MINISTRY_MS", 40)) * time.Millisecond)),
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: seats}},
		patience: 2 * time.Second,
	}
	url := serve(e)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: applicants}}
	var visas atomic.Int64
	for i := 0; i < applicants; i++ {
		own := fmt.Sprintf("%s/?name=n%d", url, i)
		go func() {
			for {
				resp, err := client.Get(own)
				if err != nil {
					log.Print(err)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					visas.Add(1)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := visas.Load()
		fmt.Printf("figure visas %d per_s higher-is-better\n", now-last)
		last = now
	}
}
