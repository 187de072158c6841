// Command invoices reads invoices as JSON, each into a struct, with all Ps at work.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

type invoice struct {
	Number   int       `json:"number"`
	Customer string    `json:"customer"`
	Due      time.Time `json:"due"`
	Lines    []item    `json:"lines"`
}

type item struct {
	SKU   string  `json:"sku"`
	Count int     `json:"count"`
	Price float64 `json:"price"`
}

func (i invoice) total() float64 {
	sum := 0.0
	for _, l := range i.Lines {
		sum += float64(l.Count) * l.Price
	}
	return sum
}

type office struct {
	inbox chan []byte
	read  atomic.Int64
	cents atomic.Int64
}

func (o *office) clerk() {
	var inv invoice
	for body := range o.inbox {
		inv.Lines = inv.Lines[:0]
		if err := json.Unmarshal(body, &inv); err != nil {
			log.Print(err)
			continue
		}
		o.cents.Add(int64(inv.total() * 100))
		o.read.Add(1)
	}
}

func write(rng *rand.Rand, lines int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"number": %d, "customer": "c-%d", "due": "2031-05-01T00:00:00Z", "lines": [`, rng.Intn(1e6), rng.Intn(900))
	for i := 0; i < lines; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku": "s-%04d", "count": %d, "price": %d.5, "note": "shelf %d"}`, rng.Intn(5000), 1+rng.Intn(9), rng.Intn(90), i)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	o := &office{inbox: make(chan []byte, 4)}
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go o.clerk()
	}
	rng := rand.New(rand.NewSource(9))
	post := make([][]byte, 64)
	for i := range post {
		post[i] = write(rng, envInt("LINES", 400))
	}
	archive := make([]string, 0, 60_000) // numbers of older invoices, kept for look-ups
	for i := 0; i < cap(archive); i++ {
		archive = append(archive, "invoice-"+strconv.Itoa(i))
	}
	go func() {
		for i := 0; ; i++ {
			o.inbox <- post[i%len(post)]
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := o.read.Load()
		fmt.Printf("figure invoices %d per_s higher-is-better\n", now-last)
		last = now
	}
	runtime.KeepAlive(archive)
}
