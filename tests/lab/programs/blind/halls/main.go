// Command halls plans in which slot and hall each exam is written, always looking for a better plan, and meanwhile
// answers whoever asks for an exam.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"time"
)

// plan is one complete distribution of the exams over the slots.
type plan struct {
	slot    []int
	penalty int
}

// planner tries distributions, each planner beginning with another exam.
type planner struct {
	clash  [][]uint64
	slots  [][]uint64 // exams in each slot
	chosen []int
	first  int
	tried  int
	effort int
	best   plan
}

func newPlanner(clash [][]uint64, slots, first, effort int) *planner {
	p := &planner{clash: clash, first: first, effort: effort, chosen: make([]int, len(clash))}
	for i := 0; i < slots; i++ {
		p.slots = append(p.slots, make([]uint64, len(clash[0])))
	}
	p.best.penalty = 1 << 30
	return p
}

// improve goes through distributions until it has tried as many as it was told.
func (p *planner) improve() plan {
	p.tried = 0
	p.place(0, 0)
	return p.best
}

// place puts the n-th exam into each slot where it clashes with none, and all later ones after it.
func (p *planner) place(n, penalty int) {
	p.tried++
	if p.tried > p.effort || penalty >= p.best.penalty {
		return
	}
	if n == len(p.clash) {
		p.best = plan{append([]int(nil), p.chosen...), penalty}
		return
	}
	exam := (n + p.first) % len(p.clash)
	for s, there := range p.slots {
		if !disjoint(p.clash[exam], there) {
			continue
		}
		there[exam/64] |= 1 << (exam % 64)
		p.chosen[exam] = s
		p.place(n+1, penalty+s)
		there[exam/64] &^= 1 << (exam % 64)
	}
}

func disjoint(a, b []uint64) bool {
	for i, word := range a {
		if word&b[i] != 0 {
			return false
		}
	}
	return true
}

// board shows the best plan so far.
type board struct {
	mu   sync.RWMutex
	plan plan
}

func (b *board) offer(p plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.plan.slot == nil || p.penalty < b.plan.penalty {
		b.plan = p
	}
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	exam, err := strconv.Atoi(r.URL.Query().Get("exam"))
	if err != nil || exam < 0 || exam >= len(b.plan.slot) {
		http.Error(w, "not planned yet", http.StatusNotFound)
		return
	}
	json.NewEncoder(w).Encode(map[string]int{"exam": exam, "slot": b.plan.slot[exam]})
}

// students ask at a steady rate; the returned function tells how long the slowest tenth waited at least.
func students(url string, rate int) func() (time.Duration, bool) {
	var mu sync.Mutex
	var took []time.Duration
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	ask := func(n int, due time.Time) {
		resp, err := client.Get(fmt.Sprintf("%s/?exam=%d", url, n%20))
		if err != nil {
			log.Print(err)
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		mu.Lock()
		took = append(took, time.Since(due))
		mu.Unlock()
	}
	go func() {
		n := 0
		for due := range time.Tick(time.Second / time.Duration(rate)) {
			n++
			go ask(n, due)
		}
	}()
	return func() (time.Duration, bool) {
		mu.Lock()
		defer mu.Unlock()
		defer func() { took = nil }()
		if len(took) == 0 {
			return 0, false
		}
		sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
		return took[len(took)*9/10], true
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	clash := clashes(envInt("EXAMS", 90))
	var b board
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, &b)) }()
	waited := students("http://"+ln.Addr().String(), envInt("ASKED", 120))

	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		p := newPlanner(clash, 20, i*7, envInt("EFFORT", 800_000_000))
		go func() {
			for {
				b.offer(p.improve())
				p.first++
			}
		}()
	}
	for range time.Tick(time.Second) {
		if d, ok := waited(); ok {
			fmt.Printf("figure waited_p90 %.2f ms lower-is-better\n", float64(d.Microseconds())/1000)
		} else {
			fmt.Println("figure waited_p90 1000 ms lower-is-better")
		}
	}
}
