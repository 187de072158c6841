// Command reels turns films into previews: every film that comes in is cut into scenes, and a C library packs each
// scene. Players meanwhile report where they are, and get told what comes next.
package main

/*
#include <stdint.h>
#include <stdlib.h>

// pack writes the scene as runs of like differences and returns how long that is; it tries several step widths and
// keeps the best.
static int pack(const uint8_t *scene, int n, uint8_t *out, int room) {
	int best = room;
	for (int step = 1; step <= 24; step++) {
		int len = 0;
		uint8_t last = 0;
		int run = 0;
		for (int i = step; i < n; i++) {
			uint8_t d = (uint8_t)(scene[i] - scene[i - step]);
			d = (uint8_t)((d + (d >> 3)) & 0xf8);
			if (d == last && run < 255) {
				run++;
				continue;
			}
			if (len + 2 <= room) {
				out[len++] = (uint8_t)run;
				out[len++] = last;
			}
			last = d;
			run = 1;
		}
		if (len < best) {
			best = len;
		}
	}
	return best;
}
*/
import "C"

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

const sceneBytes = 160 << 10

type film struct {
	scenes [][]byte
	packed []int
}

type position struct {
	due    time.Time
	player int
	second int
}

type studio struct {
	cutters   int
	positions chan position
	next      [1024]uint64
	made      atomic.Int64
	told      atomic.Int64
	lateNs    atomic.Int64
}

// squeeze packs one scene in the C library.
func squeeze(scene, room []byte) int {
	return int(C.pack((*C.uint8_t)(unsafe.Pointer(&scene[0])), C.int(len(scene)),
		(*C.uint8_t)(unsafe.Pointer(&room[0])), C.int(len(room))))
}

// snippet:start
func (s *studio) preview(f *film) {
	var wg sync.WaitGroup
	for i := range f.scenes {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			f.packed[i] = squeeze(f.scenes[i], make([]byte, sceneBytes))
		}(i)
	}
	wg.Wait()
	s.made.Add(1)
}

// snippet:end

// arrive hands the studio one film after another.
func (s *studio) arrive(scenes int) {
	rng := rand.New(rand.NewSource(3))
	f := &film{scenes: make([][]byte, scenes), packed: make([]int, scenes)}
	for i := range f.scenes {
		f.scenes[i] = make([]byte, sceneBytes)
		rng.Read(f.scenes[i])
	}
	for {
		s.preview(f)
		time.Sleep(20 * time.Millisecond)
	}
}

// follow lets positions in at a steady rate.
func (s *studio) follow(rate int) {
	rng := rand.New(rand.NewSource(5))
	period := time.Second / time.Duration(rate)
	for due := time.Now().Add(period); ; due = due.Add(period) {
		time.Sleep(time.Until(due))
		s.positions <- position{due: due, player: rng.Intn(len(s.next)), second: rng.Intn(7200)}
	}
}

// tell works out what each player sees next.
func (s *studio) tell() {
	for p := range s.positions {
		h := fnv.New64a()
		for i := 0; i < 2_000; i++ {
			h.Write([]byte{byte(p.player), byte(p.second), byte(i)})
		}
		atomic.StoreUint64(&s.next[p.player], h.Sum64())
		s.lateNs.Add(int64(time.Since(p.due)))
		s.told.Add(1)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	cores := runtime.NumCPU()
	if p := runtime.GOMAXPROCS(0); p < cores {
		cores = p
	}
	s := &studio{cutters: cores, positions: make(chan position, 64)}
	go s.arrive(envInt("SCENES", 48))
	go s.follow(envInt("RATE", 100))
	for i := 0; i < 2; i++ {
		go s.tell()
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := s.told.Load(), s.lateNs.Load()
		if n > lastN {
			fmt.Printf("figure answer_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
