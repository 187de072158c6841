// Command filters serves searches over a list of names. Users send patterns; the compiled ones are kept, and the same
// few come again and again.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// shelf keeps compiled patterns.
type shelf struct {
	shapes sync.Map // text -> *regexp.Regexp
	size   atomic.Int64
}

const maxShelf = 10000

func (s *shelf) get(text string) (*regexp.Regexp, error) {
	if kept, ok := s.shapes.Load(text); ok {
		return kept.(*regexp.Regexp), nil
	}
	shape, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	if s.size.Add(1) <= maxShelf {
		s.shapes.Store(text, shape)
	}
	return shape, nil
}

type search struct {
	shelf    shelf
	branches [][]string // the names of each branch
	done     atomic.Int64
}

func (s *search) get(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	shape, err := s.shelf.get(query.Get("q"))
	branch, berr := strconv.Atoi(query.Get("branch"))
	if err != nil || berr != nil || branch < 0 || branch >= len(s.branches) {
		http.Error(w, "no such pattern or branch", http.StatusBadRequest)
		return
	}
	n := 0
	for _, name := range s.branches[branch] {
		if shape.MatchString(name) {
			n++
		}
	}
	s.done.Add(1)
	fmt.Fprintln(w, n)
}

func ask(base string, number int) {
	client := &http.Client{Transport: &http.Transport{}}
	for i := number; ; i++ {
		q := fmt.Sprintf(`^name-%d[0-9]*(-x|-y)?$`, i*i%300)
		resp, err := client.Get(fmt.Sprintf("%s?branch=%d&q=%s", base, i%300, url.QueryEscape(q)))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &search{}
	for i := 0; i < envInt("BRANCHES", 500); i++ {
		var names []string
		for j := 0; j < 2000; j++ {
			names = append(names, "name-"+strconv.Itoa((i+j)*37%5000)+"-"+string(rune('x'+j%3)))
		}
		s.branches = append(s.branches, names)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, http.HandlerFunc(s.get))) }()
	for i := 0; i < envInt("CONCURRENCY", 3); i++ {
		go ask("http://"+ln.Addr().String()+"/names", i*1000)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := s.done.Load()
		fmt.Printf("figure searches %d per_s higher-is-better\n", now-last)
		last = now
	}
}
