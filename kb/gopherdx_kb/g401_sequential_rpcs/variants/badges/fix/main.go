// Command badges shows what a member has earned: each badge is kept by a service of its own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type badge struct {
	Kind  string `json:"kind"`
	Level int    `json:"level"`
}

var page = template.Must(template.New("page").Parse(
	`<ul>{{range .}}<li>{{.Kind}}: level {{.Level}}</li>{{end}}</ul>`))

type site struct {
	keepers []string // addresses of the services
	client  *http.Client
	views   atomic.Int64
	spentNs atomic.Int64
	slots   sync.Map // last member seen by slot
}

func (s *site) badge(ctx context.Context, keeper, member string) (badge, error) {
	var b badge
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, keeper+"/badge?member="+url.QueryEscape(member), nil)
	if err != nil {
		return b, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return b, err
	}
	defer resp.Body.Close()
	return b, json.NewDecoder(resp.Body).Decode(&b)
}

// snippet:start
func (s *site) member(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	name := r.URL.Query().Get("name")
	badges := make([]badge, len(s.keepers))
	errs := make([]error, len(s.keepers))
	var wg sync.WaitGroup
	for i, keeper := range s.keepers {
		i, keeper := i, keeper
		wg.Add(1)
		go func() {
			defer wg.Done()
			badges[i], errs[i] = s.badge(r.Context(), keeper, name)
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.show(w, name, badges, start)
}

// snippet:end

func (s *site) show(w http.ResponseWriter, name string, badges []badge, start time.Time) {
	if err := page.Execute(w, badges); err != nil {
		log.Print(err)
	}
	s.slots.Store(len(name)%16, name)
	s.spentNs.Add(int64(time.Since(start)))
	s.views.Add(1)
}

func keeper(kind string, low time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/badge", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(low + time.Duration(rand.Intn(20))*time.Millisecond)
		json.NewEncoder(w).Encode(badge{kind, 1 + rand.Intn(9)})
	})
	return mux
}

func listen(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

func read(client *http.Client, base string, rng *rand.Rand) {
	for {
		resp, err := client.Get(base + "/member?name=m" + strconv.Itoa(rng.Intn(10_000)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(time.Duration(rng.Intn(30)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	s := &site{client: client}
	for i, kind := range []string{"author", "editor", "translator", "founder"} {
		s.keepers = append(s.keepers, listen(keeper(kind, time.Duration(20+5*i)*time.Millisecond)))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/member", s.member)
	base := listen(mux)
	for i := 0; i < envInt("CONCURRENCY", 6); i++ {
		go read(client, base, rand.New(rand.NewSource(int64(i))))
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.views.Load(), s.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure view_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
