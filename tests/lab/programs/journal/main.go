// Command journal writes what its sources report: each has a file of its own, and a record counts when the disk has it.
package main

import (
	"fmt"
	"log"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

type journal struct {
	folder  string
	records atomic.Int64
	spentNs atomic.Int64
}

// keep writes one record and waits for the disk.
func (j *journal) keep(f *os.File, record []byte) error {
	if _, err := f.WriteAt(record, 0); err != nil {
		return err
	}
	return f.Sync()
}

// follow writes the records of one source as they come.
func (j *journal) follow(id int, records <-chan []byte) {
	f, err := os.Create(filepath.Join(j.folder, strconv.Itoa(id)))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for record := range records {
		start := time.Now()
		if err := j.keep(f, record); err != nil {
			log.Fatal(err)
		}
		j.spentNs.Add(int64(time.Since(start)))
		j.records.Add(1)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	folder, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	j := &journal{folder: folder}
	record := make([]byte, envInt("RECORD_KB", 512)<<10)
	rand.New(rand.NewSource(2)).Read(record)
	for i := 0; i < envInt("CONCURRENCY", 16); i++ {
		records := make(chan []byte)
		go j.follow(i, records)
		go func() {
			for {
				records <- record
			}
		}()
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := j.records.Load(), j.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure record_time %.2f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
