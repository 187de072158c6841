// Command scores asks the grounds whether a game is on. The answer lies in the status; what else comes is not read.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type board struct {
	ground string
	client *http.Client
	on     atomic.Int64
	asked  atomic.Int64
}

func (b *board) ask(game int) {
	resp, err := b.client.Get(fmt.Sprintf("%s/games/%d", b.ground, game))
	if err != nil {
		log.Print(err)
		return
	}
	if resp.StatusCode == http.StatusOK {
		b.on.Add(1)
	}
	b.asked.Add(1)
}

// report is what a ground tells of a game.
func report(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Write(bytes.Repeat([]byte("0:0 and nothing happens\n"), 40))
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, http.HandlerFunc(report))) }()
	b := &board{ground: "http://" + ln.Addr().String(), client: &http.Client{}}
	go func() {
		game := 0
		for range time.Tick(time.Second / time.Duration(envInt("RATE", 12))) {
			game++
			go b.ask(game)
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := b.asked.Load()
		fmt.Printf("figure games %d per_s higher-is-better\n", now-last)
		last = now
	}
}
