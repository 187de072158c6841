// Command buoys gathers what buoys at sea measure and hands it, packed, to the radio that sends it ashore.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type reading struct {
	buoy         int
	at           int64
	wave, period float64
	sea, air     float64
}

// track is a buoy's last readings, newest first.
type track struct {
	reading
	earlier *track
}

// chart keeps the tracks of all buoys for whoever asks.
type chart struct {
	mu     sync.Mutex
	tracks map[int]*track
}

func newChart(buoys, length int) *chart {
	c := &chart{tracks: make(map[int]*track, buoys)}
	for b := 0; b < buoys; b++ {
		for i := 0; i < length; i++ {
			c.tracks[b] = &track{reading{buoy: b, at: int64(i)}, c.tracks[b]}
		}
	}
	return c
}

// note replaces the newest reading.
func (c *chart) note(r reading) {
	c.mu.Lock()
	c.tracks[r.buoy].reading = r
	c.mu.Unlock()
}

// packer turns batches of readings into frames for the radio.
type packer struct{ send func([]byte) }

// press is what one frame is made with.
type press struct {
	buf bytes.Buffer
	zw  *gzip.Writer
}

var presses = sync.Pool{New: func() any { return &press{zw: gzip.NewWriter(nil)} }}

func (p *packer) pack(batch []reading) error {
	pr := presses.Get().(*press)
	defer presses.Put(pr)
	buf, zw := &pr.buf, pr.zw
	buf.Reset()
	zw.Reset(buf)
	var line []byte
	for _, r := range batch {
		line = appendReading(line[:0], r)
		if _, err := zw.Write(line); err != nil {
			return err
		}
	}
	if err := zw.Close(); err != nil {
		return err
	}
	p.send(buf.Bytes())
	return nil
}

func appendReading(b []byte, r reading) []byte {
	b = strconv.AppendInt(b, int64(r.buoy), 10)
	b = strconv.AppendInt(append(b, ' '), r.at, 10)
	for _, v := range [...]float64{r.wave, r.period, r.sea, r.air} {
		b = strconv.AppendFloat(append(b, ' '), v, 'f', 2, 64)
	}
	return append(b, '\n')
}

// sample is what a buoy measures at its n-th look.
func sample(buoy, n int) reading {
	swell := float64((buoy*31+n*7)%400) / 100
	return reading{buoy, int64(n), swell, 4 + swell, 11 + swell/10, 9 - swell/8}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	buoys, batch := envInt("BUOYS", 300), envInt("BATCH", 12)
	c := newChart(buoys, 60)
	var frames, sent atomic.Int64
	p := &packer{send: func(frame []byte) {
		frames.Add(1)
		sent.Add(int64(len(frame)))
	}}
	for w := 0; w < runtime.GOMAXPROCS(0); w++ {
		first := w
		go func() {
			readings := make([]reading, batch)
			for n := first; ; n++ {
				for i := range readings {
					readings[i] = sample((n*batch+i)%buoys, n)
					c.note(readings[i])
				}
				if err := p.pack(readings); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := frames.Load()
		fmt.Printf("figure frames %d per_s higher-is-better\n", now-last)
		last = now
	}
}
