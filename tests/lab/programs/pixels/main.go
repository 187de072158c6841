// Command pixels keeps decoded pictures in memory of C, as bindings of picture libraries do, and answers requests.
package main

/*
#include <stdlib.h>
#include <string.h>

static void *picture(size_t n, int seed) {
	void *p = malloc(n);
	if (p != NULL) {
		memset(p, seed, n);
	}
	return p;
}

static int pixel(void *p, size_t at) {
	return ((unsigned char *)p)[at];
}
*/
import "C"

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

const size = 2 << 20

type album struct {
	pictures []unsafe.Pointer
}

func (a *album) load(n int) {
	for i := 0; i < n; i++ {
		p := C.picture(size, C.int(i))
		if p == nil {
			log.Fatal("no memory")
		}
		a.pictures = append(a.pictures, p)
	}
}

func serve(a *album, rate int) {
	n := 0
	for range time.Tick(time.Second / time.Duration(rate)) {
		n++
		line := make([]byte, 64<<10)
		for i := 0; i < 256; i++ {
			line[i] = byte(C.pixel(a.pictures[n%len(a.pictures)], C.size_t(n*i%size)))
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
	a := &album{}
	a.load(envInt("PICTURES", 120))
	go serve(a, envInt("RATE", 200))
	for range time.Tick(time.Second) {
		fmt.Printf("figure resident %.1f MB lower-is-better\n", residentMB())
	}
}
