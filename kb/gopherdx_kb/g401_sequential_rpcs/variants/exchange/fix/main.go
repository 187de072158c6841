// Command exchange answers quotes over a small framed protocol: 4 bytes of length, then the text. Each quote needs
// answers from three desks, which speak the same protocol.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func writeFrame(w io.Writer, text string) error {
	buf := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(text)), uint32(len(text)))
	_, err := w.Write(append(buf, text...))
	return err
}

func readFrame(r io.Reader) (string, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > 1<<16 {
		return "", fmt.Errorf("frame of %d bytes", n)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return string(body), err
}

// desk is a backend with a pool of open connections.
type desk struct {
	addr string
	idle chan net.Conn
}

func (d *desk) ask(question string) (string, error) {
	var c net.Conn
	select {
	case c = <-d.idle:
	default:
		var err error
		if c, err = net.Dial("tcp", d.addr); err != nil {
			return "", err
		}
	}
	if err := writeFrame(c, question); err != nil {
		c.Close()
		return "", err
	}
	answer, err := readFrame(c)
	if err != nil {
		c.Close()
		return "", err
	}
	select {
	case d.idle <- c:
	default:
		c.Close()
	}
	return answer, nil
}

type exchange struct {
	rates, fees, risk *desk
	quotes            atomic.Int64
	spentNs           atomic.Int64
}

// snippet:start
func (x *exchange) quote(pair string) (string, error) {
	desks := []*desk{x.rates, x.fees, x.risk}
	answers := make([]string, len(desks))
	errs := make([]error, len(desks))
	var wg sync.WaitGroup
	for i, d := range desks {
		i, d := i, d
		wg.Add(1)
		go func() {
			defer wg.Done()
			answers[i], errs[i] = d.ask(pair)
		}()
	}
	wg.Wait()
	return pair + " " + strings.Join(answers, " "), errors.Join(errs...)
}

// snippet:end

func (x *exchange) serve(c net.Conn) {
	defer c.Close()
	for {
		pair, err := readFrame(c)
		if err != nil {
			return
		}
		start := time.Now()
		answer, err := x.quote(pair)
		if err != nil {
			answer = "error: " + err.Error()
		}
		if writeFrame(c, answer) != nil {
			return
		}
		x.spentNs.Add(int64(time.Since(start)))
		x.quotes.Add(1)
	}
}

// listen hands each connection to serve and returns the address.
func listen(serve func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return ln.Addr().String()
}

// newDesk starts a backend that thinks for a while about each question.
func newDesk(name string, low, high time.Duration) *desk {
	addr := listen(func(c net.Conn) {
		defer c.Close()
		for {
			question, err := readFrame(c)
			if err != nil {
				return
			}
			time.Sleep(low + time.Duration(rand.Int63n(int64(high-low))))
			if writeFrame(c, name+"="+strconv.Itoa(len(question)+rand.Intn(50))) != nil {
				return
			}
		}
	})
	return &desk{addr: addr, idle: make(chan net.Conn, 64)}
}

func trade(addr string, seed int64) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	rng := rand.New(rand.NewSource(seed))
	for {
		if err := writeFrame(c, fmt.Sprintf("EUR/X%02d", rng.Intn(40))); err != nil {
			log.Fatal(err)
		}
		if _, err := readFrame(c); err != nil {
			log.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Intn(15)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	x := &exchange{
		rates: newDesk("rate", 25*time.Millisecond, 45*time.Millisecond),
		fees:  newDesk("fee", 20*time.Millisecond, 35*time.Millisecond),
		risk:  newDesk("risk", 40*time.Millisecond, 65*time.Millisecond),
	}
	addr := listen(x.serve)
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go trade(addr, int64(i))
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := x.quotes.Load(), x.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure quote_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
