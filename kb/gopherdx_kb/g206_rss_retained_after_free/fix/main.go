// Command ranking keeps the best offers of a large feed and answers which of them are closest to a wish.
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand"
	"os"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"time"
)

// offer is one line of the feed.
type offer struct {
	id       int
	score    float64
	features [46]float32
	views    [24]int64
}

// feed reads the next offers; here it makes them up.
type feed struct {
	rng  *rand.Rand
	left int
}

func (f *feed) next() (offer, bool) {
	if f.left == 0 {
		return offer{}, false
	}
	f.left--
	o := offer{id: f.left, score: f.rng.Float64()}
	for i := range o.features {
		o.features[i] = float32(o.id%(i+7)) + float32(o.score)
	}
	return o, true
}

// snippet:start
// best reads the whole feed and returns the n offers with the highest score.
func best(f *feed, n int) []*offer {
	var all []*offer
	for o, ok := f.next(); ok; o, ok = f.next() {
		o := o
		all = append(all, &o)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].score > all[j].score })
	kept := make([]offer, min(n, len(all))) // side by side, in memory of their own
	out := make([]*offer, len(kept))
	for i := range kept {
		kept[i] = *all[i]
		out[i] = &kept[i]
	}
	return out
}

// snippet:end

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// closest looks through all offers; the answers are text.
func closest(offers []*offer, wish [46]float32) string {
	var found *offer
	least := math.Inf(1)
	for _, o := range offers {
		d := 0.0
		for i := range wish {
			d += math.Abs(float64(o.features[i] - wish[i]))
		}
		if d < least {
			least, found = d, o
		}
	}
	return strings.Repeat(fmt.Sprintf("%d %.1f;", found.id, least), 20)
}

func answer(offers []*offer, rate int) {
	wish := [46]float32{}
	for i := range time.Tick(time.Second / time.Duration(rate)) {
		wish[i.Nanosecond()%len(wish)]++
		if len(closest(offers, wish)) > 10_000 {
			log.Print("an answer as long as a page")
		}
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
	go func() {
		rows := envInt("ROWS", 700_000)
		offers := best(&feed{rng: rand.New(rand.NewSource(7)), left: rows}, rows/20)
		debug.FreeOSMemory()
		answer(offers, envInt("RATE", 50))
	}()
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %.1f MB lower-is-better\n", residentMB())
	}
}
