// Command checkout charges carts: it takes a token from the payment service, and with it charges the card there.
package main

import (
	"context"
	"encoding/json"
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

type payments struct {
	base    string
	client  *http.Client
	token   atomic.Pointer[token]
	charged atomic.Int64
	spentNs atomic.Int64
}

type token struct {
	Value   string `json:"value"`
	expires time.Time
}

func (p *payments) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// fresh returns the token in use, or a new one when it is about to expire.
func (p *payments) fresh(ctx context.Context) (*token, error) {
	if t := p.token.Load(); t != nil && time.Until(t.expires) > 0 {
		return t, nil
	}
	t := new(token)
	if err := p.get(ctx, "/token", t); err != nil {
		return nil, err
	}
	t.expires = time.Now().Add(10 * time.Second)
	p.token.Store(t)
	return t, nil
}

func (p *payments) charge(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	t, err := p.fresh(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	var receipt struct {
		ID int `json:"id"`
	}
	if err := p.get(r.Context(), "/charge?token="+t.Value+"&cart="+r.URL.Query().Get("cart"), &receipt); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, receipt.ID)
	p.spentNs.Add(int64(time.Since(start)))
	p.charged.Add(1)
}

func provider() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5 * time.Millisecond)
		fmt.Fprintf(w, `{"value": "t%d"}`, rand.Intn(1000))
	})
	mux.HandleFunc("/charge", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(90+rand.Intn(60)) * time.Millisecond)
		fmt.Fprintf(w, `{"id": %d}`, rand.Intn(1e6))
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

func shop(client *http.Client, base string) {
	for {
		resp, err := client.Get(base + "/charge?cart=" + strconv.Itoa(rand.Intn(1e6)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
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
	p := &payments{base: listen(provider()), client: client}
	mux := http.NewServeMux()
	mux.HandleFunc("/charge", p.charge)
	base := listen(mux)
	for i := 0; i < envInt("CONCURRENCY", 10); i++ {
		go shop(client, base)
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := p.charged.Load(), p.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure charge_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
