// Command stockfile reads the stock list of all depots from a file, again and again, while it answers small questions.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type stock struct {
	mu      sync.RWMutex
	pieces  map[string]int
	loads   atomic.Int64
	loadNs  atomic.Int64
	answers atomic.Int64
}

// snippet:start
// load reads the file, a JSON list of {"part": …, "pieces": …, …}, and sums up the pieces of each part.
func (s *stock) load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list []struct { // what is needed, and nothing else
		Part   string `json:"part"`
		Pieces int    `json:"pieces"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	pieces := make(map[string]int)
	for _, row := range list {
		pieces[row.Part] += row.Pieces
	}
	s.replace(pieces)
	return nil
}

// snippet:end

func (s *stock) replace(pieces map[string]int) {
	s.mu.Lock()
	s.pieces = pieces
	s.mu.Unlock()
}

func (s *stock) of(part string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.pieces[part]
}

// write makes a stock list of about size bytes.
func write(path string, size int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	n, _ := w.WriteString("[")
	for i := 0; n < size; i++ {
		if i > 0 {
			w.WriteByte(',')
		}
		k, _ := fmt.Fprintf(w, `{"part": "p%05d", "depot": "d%02d", "pieces": %d, "place": {"row": %d, "shelf": "s%d"}, `+
			`"checked": "2031-02-%02d", "by": "clerk %d", "damaged": false, "lots": [%d, %d, %d]}`,
			i%5000, i%40, i%90, i%70, i%30, 1+i%28, i%25, i, i+1, i+2)
		n += k
	}
	w.WriteString("]")
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// question is asked through a channel and answered by a clerk.
type question struct {
	part   string
	answer chan int
}

func (s *stock) clerk(questions <-chan question) {
	for q := range questions {
		q.answer <- s.of(q.part)
		s.answers.Add(1)
	}
}

func ask(questions chan<- question, seed int) {
	q := question{answer: make(chan int, 1)}
	for i := seed; ; i++ {
		q.part = fmt.Sprintf("p%05d", i*7919%5000)
		questions <- q
		<-q.answer
		time.Sleep(4 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	path := filepath.Join(os.TempDir(), "stock-"+strconv.Itoa(os.Getpid())+".json")
	if err := write(path, envInt("FILE_MB", 14)<<20); err != nil {
		log.Fatal(err)
	}
	s := &stock{}
	questions := make(chan question)
	for i := 0; i < 3; i++ {
		go s.clerk(questions)
	}
	for i := 0; i < envInt("CONCURRENCY", 2); i++ {
		go ask(questions, i)
	}
	go func() {
		for {
			start := time.Now()
			if err := s.load(path); err != nil {
				log.Fatal(err)
			}
			s.loadNs.Add(int64(time.Since(start)))
			s.loads.Add(1)
			time.Sleep(400 * time.Millisecond)
		}
	}()
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.loads.Load(), s.loadNs.Load()
		if n > lastN {
			fmt.Printf("figure load_time %.0f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
