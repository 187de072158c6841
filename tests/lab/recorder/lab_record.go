// The recorder of the lab. It is no part of any program: the lab copies this file beside a program's main.go in a
// temporary build folder, so that the programs themselves hold nothing but their own work.
//
// Environment:
//
//	LAB_OUT      folder to write to; unset: no recording, the program runs as it is
//	LAB_WARMUP   seconds to wait before the recording starts (default 1)
//	LAB_SECONDS  seconds to record (default 4)
//	LAB_CPU      "0" leaves the CPU profile out, and so the CPU samples in the trace
//	LAB_LINGER   seconds to stay after everything is written (default 0): while another process is being recorded
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
	warmup := labSeconds("LAB_WARMUP", 1)
	length := labSeconds("LAB_SECONDS", 4)
	withCPU := os.Getenv("LAB_CPU") != "0"

	time.Sleep(warmup)
	labAppendMetrics(filepath.Join(out, "metrics.jsonl"))
	started := time.Now()
	traceFile := labCreate(out, "trace.out")
	var cpuFile *os.File
	if withCPU {
		// Before the trace, so that CPU samples reach it from its first moment on.
		cpuFile = labCreate(out, "cpu.pprof")
		labCheck(pprof.StartCPUProfile(cpuFile))
	}
	labCheck(trace.Start(traceFile))
	time.Sleep(length)
	trace.Stop()
	if withCPU {
		pprof.StopCPUProfile()
		labCheck(cpuFile.Close())
	}
	labCheck(traceFile.Close())
	recorded := time.Since(started)
	labAppendMetrics(filepath.Join(out, "metrics.jsonl"))

	for _, name := range []string{"heap", "allocs", "mutex", "block", "goroutine"} {
		labProfile(out, name, name+".pprof", 0)
	}
	labProfile(out, "goroutine", "goroutine.txt", 2)
	labProfile(out, "goroutine", "goroutine-debug1.txt", 1)
	// Last: it collects the heap, and heap profiles show the heap as of the last collection.
	labProfile(out, "goroutineleak", "goroutineleak.pprof", 0)
	labRunFile(out, recorded, withCPU)
	time.Sleep(labSeconds("LAB_LINGER", 0))
	os.Exit(0)
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

// labAppendMetrics adds one line of JSON: every runtime metric by name, and the wall clock as unix_ns.
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

func labRunFile(out string, recorded time.Duration, withCPU bool) {
	f := labCreate(out, "run.json")
	labCheck(json.NewEncoder(f).Encode(map[string]any{
		"go_version": runtime.Version(),
		"gomaxprocs": runtime.GOMAXPROCS(0),
		"num_cpu":    runtime.NumCPU(),
		"seconds":    recorded.Seconds(),
		"with_cpu":   withCPU,
	}))
	labCheck(f.Close())
}

func labCheck(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(3)
	}
}
