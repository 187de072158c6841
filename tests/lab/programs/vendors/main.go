// Command vendors shows an article with its price, which it asks the vendor for: one call a page.
package main

import (
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

type shop struct {
	client  *http.Client
	vendor  string
	shown   atomic.Int64
	spentNs atomic.Int64
}

// price asks the vendor what an article costs today.
func (s *shop) price(r *http.Request, article string) (string, error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.vendor+"/price?article="+article, nil)
	if err != nil {
		return "", err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func (s *shop) article(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	article := r.URL.Query().Get("id")
	price, err := s.price(r, article)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, "article", article, "costs", price)
	s.spentNs.Add(int64(time.Since(start)))
	s.shown.Add(1)
}

func visitor(client *http.Client, url string) {
	for {
		resp, err := client.Get(url + "?id=" + strconv.Itoa(rand.Intn(1e6)))
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

func listen(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return "http://localhost:" + port
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	vendor := http.NewServeMux()
	vendor.HandleFunc("/price", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(100+rand.Intn(60)) * time.Millisecond)
		fmt.Fprint(w, rand.Intn(10_000))
	})
	s := &shop{client: client, vendor: listen(vendor)}
	pages := http.NewServeMux()
	pages.HandleFunc("/article", s.article)
	url := listen(pages) + "/article"
	for i := 0; i < envInt("CONCURRENCY", 12); i++ {
		go visitor(client, url)
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.shown.Load(), s.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure page_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
