// Command sieve finds addresses and dates in texts, with patterns that are compiled once and take long to match.
package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

var shapes = []*regexp.Regexp{
	regexp.MustCompile(`[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}`),
	regexp.MustCompile(`(?i)(\d{1,2})\.? ?(january|march|april|june|july|october|december),? (\d{4})`),
	regexp.MustCompile(`(?:https?://)?(?:[a-z0-9-]+\.)+(?:com|org|net|de|nl)(?:/\S*)?`),
}

// find returns how much of a text the patterns cover.
func find(text string) int {
	covered := 0
	for _, shape := range shapes {
		for _, at := range shape.FindAllStringIndex(text, -1) {
			covered += at[1] - at[0]
		}
	}
	return covered
}

func texts() []string {
	var all []string
	for i := 0; i < 64; i++ {
		var b strings.Builder
		for j := 0; j < 120; j++ {
			fmt.Fprintf(&b, "on the %d. of the month, letter %d went to clerk%d at post%d.example.org; ", j%28+1, i*j, j, i)
			if j%17 == 0 {
				fmt.Fprintf(&b, "answer by %d June, 20%02d to mail%d@letters.example.net. ", j%28+1, j%30, j)
			}
		}
		all = append(all, b.String())
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
	var done atomic.Int64
	in := make(chan string)
	for i := 0; i < envInt("WORKERS", 3); i++ {
		go func() {
			for text := range in {
				find(text)
				done.Add(1)
			}
		}()
	}
	go func() {
		all := texts()
		for i := 0; ; i++ {
			in <- all[i%len(all)]
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := done.Load()
		fmt.Printf("figure texts %d per_s higher-is-better\n", now-last)
		last = now
	}
}
