// Command grandstand calls out what happens on the field to all spectators, who listen over HTTP, come late, go early,
// and have lines of all speeds.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

type call struct {
	minute int
	text   string
}

// seat is one spectator's place.
type seat struct {
	calls chan call
	empty chan struct{} // closed when the spectator has gone
}

// hear brings a call to a seat.
func (s *seat) hear(c call) {
	select {
	case s.calls <- c:
	case <-s.empty:
	}
}

// stand knows which seats are taken.
type stand struct {
	mu    sync.RWMutex
	taken map[*seat]struct{}
}

func (st *stand) sit() *seat {
	s := &seat{calls: make(chan call), empty: make(chan struct{})}
	st.mu.Lock()
	st.taken[s] = struct{}{}
	st.mu.Unlock()
	return s
}

func (st *stand) leave(s *seat) {
	st.mu.Lock()
	delete(st.taken, s)
	st.mu.Unlock()
	close(s.empty)
}

// shout does not wait for anybody: spectators with a bad line must not keep the others waiting.
func (st *stand) shout(c call) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	for s := range st.taken {
		go s.hear(c)
	}
}

// listen sends one spectator the calls for as long as the line holds.
func (st *stand) listen(w http.ResponseWriter, r *http.Request) {
	line, err := strconv.Atoi(r.URL.Query().Get("line_ms"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := st.sit()
	defer st.leave(s)
	flush := http.NewResponseController(w)
	for {
		select {
		case c := <-s.calls:
			fmt.Fprintf(w, "%d' %s\n", c.minute, c.text)
			if flush.Flush() != nil {
				return
			}
			time.Sleep(time.Duration(line) * time.Millisecond) // the line is no faster
		case <-r.Context().Done():
			return
		}
	}
}

// spectator listens for a while, goes, and is followed by the next.
func spectator(client *http.Client, url string, stay time.Duration) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), stay)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			log.Fatal(err)
		}
		if resp, err := client.Do(req); err == nil {
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			}
			resp.Body.Close()
		}
		cancel()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	st := &stand{taken: map[*seat]struct{}{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, http.HandlerFunc(st.listen))) }()

	client := &http.Client{}
	for i := 0; i < envInt("SPECTATORS", 40); i++ {
		url := fmt.Sprintf("http://%s/?line_ms=%d", ln.Addr(), 8+i%12)
		go spectator(client, url, time.Duration(envInt("STAY_MS", 400)+i*7)*time.Millisecond)
	}
	go func() {
		n := 0
		for range time.Tick(time.Second / time.Duration(envInt("CALLS", 80))) {
			n++
			st.shout(call{n % 90, "corner"})
		}
	}()
	for range time.Tick(time.Second) {
		fmt.Printf("figure goroutines %d count lower-is-better\n", runtime.NumGoroutine())
	}
}
