// Command diary keeps a log that must survive a power cut: each entry is on disk before the writer hears of it.
package main

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"log"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type diary struct {
	mu      sync.Mutex
	file    *os.File
	out     *bufio.Writer
	pages   int
	written atomic.Int64
}

// enter appends an entry and waits until the disk has it.
func (d *diary) enter(text []byte) error {
	sum := crc32.ChecksumIEEE(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pages++; d.pages%4096 == 0 {
		if _, err := d.file.Seek(0, 0); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out, "%08x ", sum)
	d.out.Write(text)
	d.out.WriteByte('\n')
	if err := d.out.Flush(); err != nil {
		return err
	}
	return d.file.Sync()
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	f, err := os.CreateTemp("", "diary")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(f.Name()) // the name only: it goes with the process
	d := &diary{file: f, out: bufio.NewWriter(f)}
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		text := make([]byte, envInt("ENTRY_BYTES", 4096))
		for j := range text {
			text[j] = byte('a' + (i+j)%26)
		}
		go func() {
			for {
				if err := d.enter(text); err != nil {
					log.Fatal(err)
				}
				d.written.Add(1)
			}
		}()
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := d.written.Load()
		fmt.Printf("figure entries %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
