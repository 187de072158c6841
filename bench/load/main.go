// Command load makes an execution trace of a wanted size: pairs of goroutines that hand work to each other
// over channels, a mutex and short sleeps, so that all the common events occur.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

type counter struct {
	w io.Writer
	n atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.w.Write(p)
}

type board struct {
	mu     sync.Mutex
	scores map[int]int
}

func (b *board) add(id int) {
	b.mu.Lock()
	b.scores[id%64]++
	b.mu.Unlock()
}

func serve(in <-chan []byte, out chan<- []byte, b *board, id int) {
	for buf := range in {
		b.add(id)
		out <- append(buf[:0:0], buf...)
	}
	close(out)
}

func drive(pair int, b *board, stop, pause *atomic.Bool, done *sync.WaitGroup) {
	defer done.Done()
	in, out := make(chan []byte), make(chan []byte)
	go serve(in, out, b, pair)
	buf := make([]byte, 64)
	for i := 0; !stop.Load(); i++ {
		for pause.Load() && !stop.Load() {
			time.Sleep(time.Millisecond)
		}
		in <- buf
		<-out
		if i%1000 == 0 {
			time.Sleep(50 * time.Microsecond)
			var one sync.WaitGroup
			one.Add(1)
			go func() { defer one.Done(); b.add(i) }()
			one.Wait()
		}
	}
	close(in)
}

func main() {
	size := flag.Float64("mb", 50, "size of the trace in MB")
	out := flag.String("o", "trace.out", "file to write")
	pairs := flag.Int("pairs", 8, "pairs of goroutines")
	rate := flag.Float64("rate", 12, "MB a second at most, so that generations are alike whatever the size")
	cpu := flag.String("cpu", "", "file for a CPU profile of the same time")
	flag.Parse()
	if *cpu != "" {
		profile, err := os.Create(*cpu)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(profile); err != nil {
			log.Fatal(err)
		}
		defer profile.Close()
		defer pprof.StopCPUProfile()
	}
	f, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	c := &counter{w: f}
	if err := trace.Start(c); err != nil {
		log.Fatal(err)
	}
	var stop, pause atomic.Bool
	var done sync.WaitGroup
	b := &board{scores: map[int]int{}}
	for i := 0; i < *pairs; i++ {
		done.Add(1)
		go drive(i, b, &stop, &pause, &done)
	}
	for begin := time.Now(); c.n.Load() < int64(*size*1e6); time.Sleep(time.Millisecond) {
		pause.Store(float64(c.n.Load()) > *rate*1e6*time.Since(begin).Seconds())
	}
	trace.Stop()
	stop.Store(true)
	done.Wait()
	fmt.Println(c.n.Load(), "bytes")
}
