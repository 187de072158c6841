// Command everything records a trace in which each event of the format occurs, as far as the toolchain that
// builds it has them: tasks, regions, logs, system calls, network waits, collections, goroutines that are
// created blocked, coroutines (Go 1.23) and calls from C threads (with cgo).
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

var (
	kept [][]byte
	more []func() // what other files add
)

func annotate(ctx context.Context) {
	ctx, task := trace.NewTask(ctx, "order")
	defer task.End()
	trace.WithRegion(ctx, "price", func() { time.Sleep(time.Millisecond) })
	trace.Log(ctx, "state", "priced")
	inner, child := trace.NewTask(ctx, "pack")
	region := trace.StartRegion(inner, "box")
	runtime.Gosched()
	region.End()
	child.End()
}

func talk() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		buf := make([]byte, 16)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			time.Sleep(200 * time.Microsecond)
			if _, err := conn.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	buf := make([]byte, 16)
	for i := 0; i < 50; i++ {
		if _, err := conn.Write(buf); err != nil {
			log.Fatal(err)
		}
		if _, err := conn.Read(buf); err != nil {
			log.Fatal(err)
		}
	}
	conn.Close()
	listener.Close()
}

func allocate() {
	for i := 0; i < 300; i++ {
		kept = append(kept, make([]byte, 64<<10))
		if len(kept) > 64 {
			kept = kept[:0]
		}
	}
	runtime.GC()
}

func contend() {
	var mu sync.Mutex
	var group sync.WaitGroup
	total := 0
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for k := 0; k < 100; k++ {
				mu.Lock()
				total++
				if k%10 == 0 {
					time.Sleep(50 * time.Microsecond)
				}
				mu.Unlock()
			}
		}()
	}
	group.Wait()
}

func files() {
	for i := 0; i < 20; i++ {
		if f, err := os.Open(os.Args[0]); err == nil {
			buf := make([]byte, 1<<16)
			_, _ = f.Read(buf)
			f.Close()
		}
	}
}

func main() {
	out := flag.String("o", "trace.out", "file to write")
	length := flag.Duration("for", 1500*time.Millisecond, "length of the recording")
	flag.Parse()
	debug.SetGCPercent(50)
	cpu, err := os.CreateTemp("", "cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(cpu.Name())
	f, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	go func() { select {} }() // never moves again
	time.Sleep(10 * time.Millisecond)
	if err := pprof.StartCPUProfile(cpu); err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(f); err != nil {
		log.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < *length; {
		annotate(context.Background())
		talk()
		allocate()
		contend()
		files()
		runtime.GOMAXPROCS(3 + runtime.GOMAXPROCS(0)%2)
		for _, do := range more {
			do()
		}
	}
	trace.Stop()
	pprof.StopCPUProfile()
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}
