package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// labMemory are the series of the standard Go collector (client_golang, collectors.NewGoCollector) that come from
// runtime.MemStats, in its order.
var labMemory = []struct {
	name, kind string
	value      func(m *runtime.MemStats) uint64
}{
	{"alloc_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.Alloc }},
	{"alloc_bytes_total", "counter", func(m *runtime.MemStats) uint64 { return m.TotalAlloc }},
	{"buck_hash_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.BuckHashSys }},
	{"frees_total", "counter", func(m *runtime.MemStats) uint64 { return m.Frees }},
	{"gc_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.GCSys }},
	{"heap_alloc_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapAlloc }},
	{"heap_idle_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapIdle }},
	{"heap_inuse_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapInuse }},
	{"heap_objects", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapObjects }},
	{"heap_released_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapReleased }},
	{"heap_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.HeapSys }},
	{"mallocs_total", "counter", func(m *runtime.MemStats) uint64 { return m.Mallocs }},
	{"mcache_inuse_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.MCacheInuse }},
	{"mcache_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.MCacheSys }},
	{"mspan_inuse_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.MSpanInuse }},
	{"mspan_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.MSpanSys }},
	{"next_gc_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.NextGC }},
	{"other_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.OtherSys }},
	{"stack_inuse_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.StackInuse }},
	{"stack_sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.StackSys }},
	{"sys_bytes", "gauge", func(m *runtime.MemStats) uint64 { return m.Sys }},
}

// labPrometheus writes what a scrape of a program with the standard Go and process collectors returns.
func labPrometheus(out, name string) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := labCreate(out, name)
	labPauses(f)
	labSeries(f, "go_goroutines", "gauge", float64(runtime.NumGoroutine()))
	fmt.Fprintf(f, "# TYPE go_info gauge\ngo_info{version=%q} 1\n", runtime.Version())
	for _, s := range labMemory {
		labSeries(f, "go_memstats_"+s.name, s.kind, float64(s.value(&m)))
	}
	labSeries(f, "go_memstats_last_gc_time_seconds", "gauge", float64(m.LastGC)/1e9)
	labSeries(f, "go_sched_gomaxprocs_threads", "gauge", float64(runtime.GOMAXPROCS(0)))
	threads := pprof.Lookup("threadcreate").Count()
	labSeries(f, "go_threads", "gauge", float64(threads))
	if p, ok := labProcess(); ok {
		labSeries(f, "process_cpu_seconds_total", "counter", p.cpuSeconds)
		labSeries(f, "process_resident_memory_bytes", "gauge", float64(p.residentBytes))
		labSeries(f, "process_start_time_seconds", "gauge", p.startSeconds)
		labSeries(f, "process_virtual_memory_bytes", "gauge", float64(p.virtualBytes))
	}
	labCheck(f.Close())
}

// labPauses writes the summary of the collector's pauses.
func labPauses(w io.Writer) {
	stats := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&stats)
	fmt.Fprintln(w, "# TYPE go_gc_duration_seconds summary")
	for i, quantile := range []string{"0", "0.25", "0.5", "0.75", "1"} {
		seconds := labFloat(stats.PauseQuantiles[i].Seconds())
		fmt.Fprintf(w, "go_gc_duration_seconds{quantile=%q} %s\n", quantile, seconds)
	}
	fmt.Fprintf(w, "go_gc_duration_seconds_sum %s\n", labFloat(stats.PauseTotal.Seconds()))
	fmt.Fprintf(w, "go_gc_duration_seconds_count %d\n", stats.NumGC)
}

func labSeries(w io.Writer, name, kind string, value float64) {
	fmt.Fprintf(w, "# TYPE %s %s\n%s %s\n", name, kind, name, labFloat(value))
}

func labFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// labVars writes what /debug/vars of package expvar returns.
func labVars(out, name string) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := labCreate(out, name)
	labCheck(json.NewEncoder(f).Encode(map[string]any{"cmdline": os.Args, "memstats": m}))
	labCheck(f.Close())
}

type labProcessFigures struct {
	residentBytes, virtualBytes uint64
	cpuSeconds, startSeconds    float64
}

// labProcess reads from /proc and getrusage what the process collector of client_golang reads; false where the system
// does not tell.
func labProcess() (p labProcessFigures, ok bool) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return p, false
	}
	if _, err := fmt.Sscan(string(statm), &p.virtualBytes, &p.residentBytes); err != nil {
		return p, false
	}
	page := uint64(os.Getpagesize())
	p.virtualBytes *= page
	p.residentBytes *= page
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return p, false
	}
	p.cpuSeconds = float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
	p.startSeconds = labStart()
	return p, true
}

// labStart is the process's start as Unix seconds: field 22 of /proc/self/stat, in hundredths of a second since the
// system's own start, which /proc/stat tells.
func labStart() float64 {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	after := string(stat)[strings.LastIndexByte(string(stat), ')')+1:]
	fields := strings.Fields(after)
	if len(fields) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseFloat(fields[19], 64)
	system, _ := os.ReadFile("/proc/stat")
	_, boot, _ := strings.Cut(string(system), "\nbtime ")
	line, _, _ := strings.Cut(boot, "\n")
	seconds, _ := strconv.ParseFloat(line, 64)
	return seconds + ticks/100
}
