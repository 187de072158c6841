// Command reader counts the events of an execution trace with the toolchain's own internal/trace, the
// reference that gopherdx is measured against. internal/trace can be imported only from inside GOROOT, so
// bench.py builds this file as a command of the toolchain (go build -overlay).
package main

import (
	"bufio"
	"fmt"
	"internal/trace"
	"io"
	"log"
	"os"
	"time"
)

func main() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	begin := time.Now()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		log.Fatal(err)
	}
	var n int
	for {
		_, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		n++
	}
	fmt.Printf("%d events %.6f s\n", n, time.Since(begin).Seconds())
}
