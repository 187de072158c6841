// Command statements books a year's transfers when it starts, and then answers questions about balances.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

type transfer struct {
	account int
	cents   int64
	text    string
	note    string
}

// year is the file of all transfers, made up as it is read.
type year struct {
	line, lines int
	rest        []byte
}

func (y *year) Read(p []byte) (int, error) {
	for len(y.rest) == 0 {
		if y.line == y.lines {
			return 0, io.EOF
		}
		y.line++
		y.rest = append(y.rest, fmt.Sprintf("%d;%d;transfer number %d of this year;to account %d with thanks\n",
			y.line%5000, y.line*37%100_000, y.line, y.line*7%5000)...)
	}
	n := copy(p, y.rest)
	y.rest = y.rest[n:]
	return n, nil
}

type ledger struct {
	mu       sync.Mutex
	balances map[int]int64
}

// snippet:start
// book reads all transfers and adds them up.
func (l *ledger) book(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var all []transfer
	for _, line := range bytes.Split(data, []byte("\n")) {
		if t, ok := parse(string(line)); ok {
			all = append(all, t)
		}
	}
	for _, t := range all {
		l.balances[t.account] += t.cents
	}
	return nil
}

// snippet:end

func parse(line string) (transfer, bool) {
	f := strings.Split(line, ";")
	if len(f) != 4 {
		return transfer{}, false
	}
	account, err1 := strconv.Atoi(f[0])
	cents, err2 := strconv.ParseInt(f[1], 10, 64)
	return transfer{account, cents, f[2], f[3]}, err1 == nil && err2 == nil
}

func (l *ledger) print(w io.Writer, account int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(w, "account %d: %d.%02d\n", account, l.balances[account]/100, l.balances[account]%100)
}

// ask is the traffic of the day.
func ask(l *ledger, rate int) {
	n := 0
	for range time.Tick(time.Second / time.Duration(rate)) {
		out := bufio.NewWriterSize(io.Discard, 16<<10)
		for i := 0; i < 20; i++ {
			n++
			l.print(out, n%5000)
		}
		out.Flush()
	}
}

// residentMB is what the kernel counts as this process's memory.
func residentMB() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		log.Fatal(err)
	}
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	l := &ledger{balances: map[int]int64{}}
	if err := l.book(&year{lines: envInt("LINES", 600_000)}); err != nil {
		log.Fatal(err)
	}
	debug.FreeOSMemory()
	go ask(l, envInt("RATE", 200))
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %.1f MB lower-is-better\n", residentMB())
	}
}
