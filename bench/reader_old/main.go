// Command reader_old counts the events of an execution trace of Go 1.5 to 1.21 with the internal/trace of Go
// 1.21, the last one whose own format that was. As bench/reader it is built as a command of the toolchain (go
// build -overlay). With -counts it prints the events by name, with -events each of them, as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"internal/trace"
	"log"
	"os"
	"time"
)

type frame struct {
	Function string
	Line     int
}

type event struct {
	Time  int64
	Name  string
	G     uint64
	Args  [3]uint64
	Stack []frame
	Start []frame // of GoCreate: the start function
}

func frames(stack []*trace.Frame) []frame {
	out := make([]frame, len(stack))
	for i, f := range stack {
		out[i] = frame{f.Fn, f.Line}
	}
	return out
}

func main() {
	counts := flag.Bool("counts", false, "print events by name")
	events := flag.Bool("events", false, "print each event")
	flag.Parse()
	f, err := os.Open(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	begin := time.Now()
	result, err := trace.Parse(bufio.NewReaderSize(f, 1<<20), "")
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	byName := map[string]int{}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for _, ev := range result.Events {
		n++
		if *counts {
			byName[trace.EventDescriptions[ev.Type].Name]++
		}
		if *events {
			e := event{ev.Ts, trace.EventDescriptions[ev.Type].Name, ev.G, ev.Args, frames(ev.Stk), nil}
			if ev.Type == trace.EvGoCreate {
				e.Start = frames(result.Stacks[ev.Args[1]])
			}
			if err := encoder.Encode(e); err != nil {
				log.Fatal(err)
			}
		}
	}
	switch {
	case *counts:
		if err := encoder.Encode(byName); err != nil {
			log.Fatal(err)
		}
	case !*events:
		fmt.Fprintf(out, "%d events %.6f s\n", n, time.Since(begin).Seconds())
	}
}
