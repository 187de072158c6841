// Command render draws frames of a fractal, row by row, as fast as its Ps allow.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type scene struct {
	width, height int
	zoom          float64
}

// row iterates one line of the picture.
func (s scene) row(y int, out []uint8) {
	for x := range out {
		cr := (float64(x)/float64(s.width)-0.7)*3/s.zoom - 0.1
		ci := (float64(y)/float64(s.height) - 0.5) * 2 / s.zoom
		var zr, zi float64
		n := 0
		for ; n < 200 && zr*zr+zi*zi < 4; n++ {
			zr, zi = zr*zr-zi*zi+cr, 2*zr*zi+ci
		}
		out[x] = uint8(n)
	}
}

type studio struct {
	rows   atomic.Int64
	frames atomic.Int64
}

// draw renders the rows that belong to part, and gives way after each.
func (st *studio) draw(s scene, px []uint8, part, parts int) {
	for y := part; y < s.height; y += parts {
		s.row(y, px[y*s.width:(y+1)*s.width])
		st.rows.Add(1)
		runtime.Gosched()
	}
}

func (st *studio) film(parts int) {
	s := scene{width: 640, height: 2000, zoom: 1}
	px := make([]uint8, s.width*s.height)
	for {
		var wg sync.WaitGroup
		for part := 0; part < parts; part++ {
			part := part
			wg.Add(1)
			go func() {
				defer wg.Done()
				st.draw(s, px, part, parts)
			}()
		}
		wg.Wait()
		st.frames.Add(1)
		s.zoom *= 1.1
		if s.zoom > 50 {
			s.zoom = 1
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
	st := &studio{}
	go st.film(envInt("PARTS", 4))
	keys := make(chan int)
	go func() { // someone at the keyboard
		for i := range time.Tick(15 * time.Millisecond) {
			keys <- i.Nanosecond()
		}
	}()
	go func() {
		for range keys {
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := st.rows.Load()
		fmt.Printf("figure rows %d per_s higher-is-better\n", now-last)
		last = now
	}
}
