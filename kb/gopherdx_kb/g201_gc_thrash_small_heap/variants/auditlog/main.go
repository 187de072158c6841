// Command auditlog turns events into lines of text with a pool of writers. It keeps only the newest state of each user.
package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type event struct {
	user   int
	action string
	fields [6]int
}

type state struct {
	name string
	last *event
	next *state
}

// directory keeps what is known of each user.
type directory struct {
	mu    sync.RWMutex
	users []*state
}

func newDirectory(n int) *directory {
	d := &directory{users: make([]*state, n)}
	for i := range d.users {
		d.users[i] = &state{name: fmt.Sprintf("user-%06d", i), last: &event{user: i}}
		if i > 0 {
			d.users[i].next = d.users[i-1]
		}
	}
	return d
}

func (d *directory) name(user int) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users[user%len(d.users)].name
}

type writer struct {
	users *directory
	out   *bufio.Writer
	buf   []byte
}

var fieldNames = [6]string{"cart", "page", "ms", "status", "bytes", "retry"}

// snippet:start
// line writes one event as text.
func (w *writer) line(e *event) {
	parts := []string{"action=" + e.action, "user=" + w.users.name(e.user)}
	for i, value := range e.fields {
		parts = append(parts, fmt.Sprintf("%s=%v", fieldNames[i], value))
	}
	text := ""
	for _, part := range parts {
		text += part + " "
	}
	w.out.WriteString(strings.TrimSpace(text) + "\n")
}

// snippet:end

type pool struct {
	lines atomic.Int64
}

func (p *pool) run(w *writer, batches <-chan []event) {
	for batch := range batches {
		for i := range batch {
			w.line(&batch[i])
		}
		w.out.Flush()
		p.lines.Add(int64(len(batch)))
	}
}

func batch(n int) []event {
	rng := rand.New(rand.NewSource(6))
	actions := []string{"view", "add", "pay", "leave"}
	all := make([]event, n)
	for i := range all {
		all[i] = event{user: rng.Int(), action: actions[rng.Intn(len(actions))]}
		for k := range all[i].fields {
			all[i].fields[k] = rng.Intn(100_000)
		}
	}
	return all
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	users := newDirectory(envInt("USERS", 25_000))
	batches := make(chan []event, 2)
	p := &pool{}
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go p.run(&writer{users: users, out: bufio.NewWriter(io.Discard)}, batches)
	}
	go func() {
		events := batch(2000)
		for {
			batches <- events
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := p.lines.Load()
		fmt.Printf("figure lines %d per_s higher-is-better\n", now-last)
		last = now
	}
}
