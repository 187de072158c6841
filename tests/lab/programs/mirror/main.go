// Command mirror maps a large file into memory and looks things up in it.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// table is a file of sorted numbers.
type table struct {
	data []byte
}

func open(rows int) (*table, error) {
	f, err := os.CreateTemp("", "table")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	chunk := make([]byte, 1<<20)
	for row := 0; row < rows; {
		for at := 0; at < len(chunk); at += 8 {
			binary.LittleEndian.PutUint64(chunk[at:], uint64(row)*3)
			row++
		}
		if _, err := f.Write(chunk); err != nil {
			return nil, err
		}
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, rows*8, syscall.PROT_READ, syscall.MAP_SHARED)
	return &table{data}, err
}

func (t *table) find(x uint64) bool {
	low, high := 0, len(t.data)/8
	for low < high {
		middle := (low + high) / 2
		if binary.LittleEndian.Uint64(t.data[middle*8:]) < x {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low*8 < len(t.data) && binary.LittleEndian.Uint64(t.data[low*8:]) == x
}

func ask(t *table, rate int) {
	n := uint64(1)
	for range time.Tick(time.Second / time.Duration(rate)) {
		found := make([]uint64, 0, 1000)
		for i := 0; i < 1000; i++ {
			n = n*6364136223846793005 + 1442695040888963407
			if x := n >> 33 % uint64(len(t.data)); t.find(x) {
				found = append(found, x)
			}
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
	t, err := open(envInt("ROWS", 32<<20) &^ (1<<17 - 1))
	if err != nil {
		log.Fatal(err)
	}
	var sum byte
	for at := 0; at < len(t.data); at += 4096 { // have it all at hand
		sum += t.data[at]
	}
	log.Print("checksum ", sum)
	go ask(t, envInt("RATE", 100))
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %.1f MB lower-is-better\n", residentMB())
	}
}
