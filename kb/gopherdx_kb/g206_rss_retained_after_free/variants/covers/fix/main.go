// Command covers renders a large picture now and then and answers small requests in between.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// layer is a part of a picture.
type layer struct {
	pixels []byte
}

func paint(seed byte, size int) layer {
	return layer{pixels: bytes.Repeat([]byte{seed, seed ^ 0xff, 7, 255}, size/4)}
}

// snippet:start
// render paints all layers over each other; they are as large as the printed page.
func render(layers, size int) [32]byte {
	picture := make([]byte, size)
	var painted []layer
	for i := 0; i < layers; i++ {
		painted = append(painted, paint(byte(i), size))
	}
	for _, l := range painted {
		for i := 0; i < size; i += 64 {
			picture[i] ^= l.pixels[i]
		}
	}
	sum := sha256.Sum256(picture[:4096])
	painted, picture = nil, nil
	debug.FreeOSMemory() // the layers are not needed any more: collect, and give them back at once
	return sum
}

// snippet:end

// thumb is a small request.
func thumb(n int) int {
	small := make([]byte, 8<<10)
	for i := range small {
		small[i] = byte(n * i)
	}
	return int(small[n%len(small)])
}

func serve(rate int, served *atomic.Int64) {
	n := 0
	for range time.Tick(time.Second / time.Duration(rate)) {
		n++
		served.Add(int64(thumb(n) & 1))
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

// report prints the mean of what was resident in each second.
func report() {
	sum, n := 0.0, 0
	for range time.Tick(20 * time.Millisecond) {
		sum += residentMB()
		if n++; n == 50 {
			fmt.Printf("figure resident %.1f MB lower-is-better\n", sum/float64(n))
			sum, n = 0, 0
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	var served atomic.Int64
	go serve(envInt("RATE", 100), &served)
	go report()
	due := time.Tick(time.Duration(envInt("EVERY_MS", 1200)) * time.Millisecond)
	for ; ; <-due {
		render(envInt("LAYERS", 12), 20<<20)
	}
}
