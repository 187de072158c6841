// The recorder of the lab. It is no part of any program: the lab copies this folder's files beside a program's main.go
// in a temporary build folder, so that the programs themselves hold nothing but their own work.
//
// One run leaves two traces, the first without CPU samples, and every other artifact, most of them twice: as they were
// before the traces and as they are after.
//
// Environment:
//
//	LAB_OUT            folder to write to; unset: no recording, the program runs as it is
//	LAB_WARMUP         seconds to wait before the recording starts (default 1)
//	LAB_NOCPU_SECONDS  seconds of the trace without CPU samples (default 2; 0: none)
//	LAB_CPU_SECONDS    seconds of the trace with CPU samples, and of the CPU profile (default 2; 0: none)
//	LAB_LINGER         seconds to stay after everything is written (default 0): while another process is being recorded
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// Rates low enough to leave the programs' speed alone: one mutex wait in 5, one blocked goroutine for each 10 µs.
const (
	labMutexFraction = 5
	labBlockRateNs   = 10_000
)

func init() {
	out := os.Getenv("LAB_OUT")
	if out == "" {
		return
	}
	runtime.SetMutexProfileFraction(labMutexFraction)
	runtime.SetBlockProfileRate(labBlockRateNs)
	go labRecord(out)
}

func labRecord(out string) {
	nocpu := labSeconds("LAB_NOCPU_SECONDS", 2)
	cpu := labSeconds("LAB_CPU_SECONDS", 2)

	time.Sleep(labSeconds("LAB_WARMUP", 1))
	// Metrics outermost: nothing but this program's work and what is recorded of it lies between the two.
	labMetrics(out, "before")
	labProfiles(out, "-before")
	started := time.Now()
	if nocpu > 0 {
		labTrace(filepath.Join(out, "trace-nocpu.out"), nocpu)
	}
	if cpu > 0 {
		// Before the trace, so that CPU samples reach it from its first moment on.
		profile := labCreate(out, "cpu.pprof")
		labCheck(pprof.StartCPUProfile(profile))
		labTrace(filepath.Join(out, "trace-cpu.out"), cpu)
		pprof.StopCPUProfile()
		labCheck(profile.Close())
	}
	recorded := time.Since(started)
	labMetrics(out, "after")
	labProfiles(out, "")
	// Last: it collects the heap, and heap profiles show the heap as of the last collection.
	labProfile(out, "goroutineleak", "goroutineleak.pprof", 0)
	labRunFile(out, recorded, nocpu, cpu)
	time.Sleep(labSeconds("LAB_LINGER", 0))
	os.Exit(0)
}

func labTrace(path string, length time.Duration) {
	f, err := os.Create(path)
	labCheck(err)
	labCheck(trace.Start(f))
	time.Sleep(length)
	trace.Stop()
	labCheck(f.Close())
}

// labMetrics writes what the process says of itself at one moment, in each of the forms that it may have.
func labMetrics(out, when string) {
	labAppendMetrics(filepath.Join(out, "metrics.jsonl"))
	labPrometheus(out, "prometheus-"+when+".txt")
	labVars(out, "vars-"+when+".json")
}

func labProfiles(out, suffix string) {
	for _, name := range []string{"heap", "allocs", "mutex", "block", "goroutine"} {
		labProfile(out, name, name+suffix+".pprof", 0)
	}
	labProfile(out, "goroutine", "goroutine"+suffix+".txt", 2)
	labProfile(out, "goroutine", "goroutine-debug1"+suffix+".txt", 1)
}

func labSeconds(key string, fallback float64) time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv(key), 64)
	if err != nil {
		seconds = fallback
	}
	return time.Duration(seconds * float64(time.Second))
}

func labCreate(out, name string) *os.File {
	f, err := os.Create(filepath.Join(out, name))
	labCheck(err)
	return f
}

// labProfile writes one named profile; a profile that this Go version does not have is left out.
func labProfile(out, profile, name string, debug int) {
	p := pprof.Lookup(profile)
	if p == nil {
		return
	}
	f := labCreate(out, name)
	labCheck(p.WriteTo(f, debug))
	labCheck(f.Close())
}

// labAppendMetrics adds one line of JSON: every runtime metric by name, the wall clock as unix_ns, and the memory that
// the operating system counts, which the runtime does not know.
func labAppendMetrics(path string) {
	descriptions := metrics.All()
	samples := make([]metrics.Sample, len(descriptions))
	for i, d := range descriptions {
		samples[i].Name = d.Name
	}
	metrics.Read(samples)
	line := map[string]any{"unix_ns": time.Now().UnixNano()}
	for _, s := range samples {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			line[s.Name] = s.Value.Uint64()
		case metrics.KindFloat64:
			line[s.Name] = labNumber(s.Value.Float64())
		case metrics.KindFloat64Histogram:
			h := s.Value.Float64Histogram()
			edges := make([]any, len(h.Buckets))
			for i, edge := range h.Buckets {
				edges[i] = labNumber(edge)
			}
			line[s.Name] = map[string]any{"buckets": edges, "counts": h.Counts}
		}
	}
	if p, ok := labProcess(); ok {
		line["/process/resident_memory:bytes"] = p.residentBytes
		line["process_resident_memory_bytes"] = p.residentBytes
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	labCheck(err)
	labCheck(json.NewEncoder(f).Encode(line))
	labCheck(f.Close())
}

// labNumber keeps JSON valid: it has no infinities and no NaN, so these become strings.
func labNumber(v float64) any {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case math.IsNaN(v):
		return "NaN"
	}
	return v
}

func labRunFile(out string, recorded, nocpu, cpu time.Duration) {
	f := labCreate(out, "run.json")
	labCheck(json.NewEncoder(f).Encode(map[string]any{
		"go_version":    runtime.Version(),
		"gomaxprocs":    runtime.GOMAXPROCS(0),
		"num_cpu":       runtime.NumCPU(),
		"seconds":       recorded.Seconds(),
		"nocpu_seconds": nocpu.Seconds(),
		"cpu_seconds":   cpu.Seconds(),
	}))
	labCheck(f.Close())
}

func labCheck(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(3)
	}
}
