// Command lexicon reads a large set of word patterns when it starts, and then answers which of them a word fits.
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

// entry is one pattern and what it stands for.
type entry struct {
	name  string
	shape *regexp.Regexp
}

// lexicon holds entries by the first letter of the words that they fit.
type lexicon struct {
	entries map[byte][]entry
	read    int
}

// write sends out the text of all patterns.
func write(texts chan<- string, entries int) {
	defer close(texts)
	stems := []string{"ab", "ber", "chal", "dor", "eich", "fur", "gart", "hol", "in", "jag", "kam", "lin", "mor", "nor"}
	for i := 0; i < entries; i++ {
		stem := stems[i%len(stems)]
		texts <- fmt.Sprintf(`^%s[a-z]{%d,%d}(ung|heit|lich|%s)?(s|e[nrs]?)?$`, stem, 1+i%4, 5+i%7, strings.Repeat("x", i%5+1))
	}
}

func (l *lexicon) load(texts <-chan string) error {
	for text := range texts {
		shape, err := regexp.Compile(text)
		if err != nil {
			return fmt.Errorf("entry %d: %w", l.read, err)
		}
		l.entries[text[1]] = append(l.entries[text[1]], entry{"entry-" + strconv.Itoa(l.read), shape})
		l.read++
	}
	return nil
}

func (l *lexicon) fits(word string) int {
	n := 0
	for _, e := range l.entries[word[0]][:20] {
		if e.shape.MatchString(word) {
			n++
		}
	}
	return n
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	var done atomic.Int64
	go func() {
		last := int64(0)
		for range time.Tick(time.Second) {
			now := done.Load()
			fmt.Printf("figure words %d per_s higher-is-better\n", now-last)
			last = now
		}
	}()
	l := &lexicon{entries: make(map[byte][]entry)}
	texts := make(chan string)
	go write(texts, envInt("ENTRIES", 25000))
	if err := l.load(texts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	words := make(chan string, 16)
	for i := 0; i < 2; i++ {
		go func() {
			for word := range words {
				l.fits(word)
				done.Add(1)
			}
		}()
	}
	ending := []string{"en", "ung", "lich", "er", "s"}
	for range time.Tick(2 * time.Millisecond) {
		for i := 0; i < 8; i++ {
			words <- "hol" + "abcdefgh"[i:] + ending[i%5]
		}
	}
}
