// Command lighthouse does next to nothing: it turns its lamp, looks at the weather now and then, and has a few hands
// ready for ships that seldom call.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type lamp struct {
	turns atomic.Int64
}

func (l *lamp) turn(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			l.turns.Add(1)
		case <-ctx.Done():
			return
		}
	}
}

// weather is looked at far less often, and kept for those who ask.
type weather struct {
	mu   sync.RWMutex
	text string
}

func (w *weather) look(ctx context.Context) {
	for n := 0; ; n++ {
		w.mu.Lock()
		w.text = fmt.Sprintf("wind %d, sea %d", n%9, n%5)
		w.mu.Unlock()
		timer := time.NewTimer(700 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (w *weather) report() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.text
}

// keepers answer ships: a fixed number of hands that wait for calls most of the time.
type keepers struct {
	calls   chan net.Conn
	buffers sync.Pool
	weather *weather
}

func (k *keepers) hire(n int) {
	k.buffers.New = func() any { return bufio.NewReaderSize(nil, 512) }
	for i := 0; i < n; i++ {
		go func() {
			for conn := range k.calls {
				k.answer(conn)
			}
		}()
	}
}

func (k *keepers) answer(conn net.Conn) {
	defer conn.Close()
	in := k.buffers.Get().(*bufio.Reader)
	defer k.buffers.Put(in)
	in.Reset(conn)
	if name, err := in.ReadString('\n'); err == nil {
		fmt.Fprintf(conn, "%.20q: %s\n", name, k.weather.report())
	}
}

func (k *keepers) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		k.calls <- conn
	}
}

// ship calls every few seconds and lies at anchor in between.
func ship(addr string, pause time.Duration) {
	for {
		time.Sleep(pause)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Fprintln(conn, "Albatros")
		bufio.NewReader(conn).ReadString('\n')
		conn.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var l lamp
	var w weather
	go l.turn(ctx, 50*time.Millisecond)
	go w.look(ctx)
	k := &keepers{calls: make(chan net.Conn), weather: &w}
	k.hire(envInt("KEEPERS", 12))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go k.accept(ln)
	for i := 0; i < envInt("SHIPS", 5); i++ {
		go ship(ln.Addr().String(), time.Duration(900+i*130)*time.Millisecond)
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for last := int64(0); ; {
		select {
		case <-second.C:
			now := l.turns.Load()
			fmt.Printf("figure turns %d per_s higher-is-better\n", now-last)
			last = now
		case <-ctx.Done():
			return
		}
	}
}
