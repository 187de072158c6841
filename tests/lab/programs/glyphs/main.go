// Command glyphs sets text: for each letter it asks a C library how wide it is, and breaks lines.
package main

/*
static int glyph_width(int font, int letter, int before) {
	int w = 400 + (letter * 37 + font * 11) % 300;
	return before == letter + 1 ? w - 20 : w;
}
*/
import "C"

import (
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const measure = 24_000 // units in a line

type press struct {
	pages   []string
	set     atomic.Int64
	spentNs atomic.Int64
}

// lines breaks a text so that no line is wider than the measure.
func lines(text string, font int) int {
	n, width, before := 1, 0, 0
	for i := 0; i < len(text); i++ {
		w := int(C.glyph_width(C.int(font), C.int(text[i]), C.int(before)))
		if width += w; width > measure {
			n, width = n+1, w
		}
		before = int(text[i])
	}
	return n
}

func (p *press) page(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id, _ := strconv.Atoi(r.URL.Query().Get("id"))
	fmt.Fprintln(w, lines(p.pages[id%len(p.pages)], id%7), "lines")
	p.spentNs.Add(int64(time.Since(start)))
	p.set.Add(1)
}

func reader(client *http.Client, url string) {
	for {
		resp, err := client.Get(url + "?id=" + strconv.Itoa(rand.Intn(1e6)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(time.Duration(5+rand.Intn(30)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	p := &press{}
	rng := rand.New(rand.NewSource(1))
	for i := 0; i < 64; i++ {
		var b strings.Builder
		for b.Len() < 2_000 {
			b.WriteByte(byte('a' + rng.Intn(26)))
		}
		p.pages = append(p.pages, b.String())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/page", p.page)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for i := 0; i < envInt("CONCURRENCY", 12); i++ {
		go reader(client, "http://"+ln.Addr().String()+"/page")
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := p.set.Load(), p.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure page_time %.3f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
