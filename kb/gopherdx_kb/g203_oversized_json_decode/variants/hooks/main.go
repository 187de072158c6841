// Command hooks takes events from a build system. Most are a few hundred bytes; one with a full test report is not.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const bodyMax = 32 << 20

type inbox struct {
	events   chan string
	accepted atomic.Int64
	failures atomic.Int64
}

// snippet:start
// outcome reads an event and returns its kind and the number of tests that failed.
func outcome(body io.Reader) (kind string, failed int, err error) {
	data, err := io.ReadAll(io.LimitReader(body, bodyMax))
	if err != nil {
		return "", 0, err
	}
	var event any
	if err := json.Unmarshal(data, &event); err != nil {
		return "", 0, err
	}
	fields, _ := event.(map[string]any)
	kind, _ = fields["kind"].(string)
	tests, _ := fields["tests"].([]any)
	for _, t := range tests {
		if test, _ := t.(map[string]any); test["state"] == "failed" {
			failed++
		}
	}
	return kind, failed, nil
}

// snippet:end

func (in *inbox) post(w http.ResponseWriter, r *http.Request) {
	kind, failed, err := outcome(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in.failures.Add(int64(failed))
	in.accepted.Add(1)
	select {
	case in.events <- kind:
	default:
	}
	w.WriteHeader(http.StatusNoContent)
}

func report(size int) string {
	var b strings.Builder
	b.WriteString(`{"kind": "report", "tests": [`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		state := "passed"
		if i%500 == 0 {
			state = "failed"
		}
		fmt.Fprintf(&b, `{"name": "suite%d/case%d", "state": %q, "seconds": %d.%02d, "labels": ["l%d", "os-linux"], `+
			`"host": {"name": "w%d", "cores": 8}, "attempt": 1, "output": null}`, i%90, i, state, i%5, i%100, i%7, i%40)
	}
	b.WriteString("]}")
	return b.String()
}

// push sends small events, one after another.
func push(url string, pause time.Duration) {
	for i := 0; ; i++ {
		body := fmt.Sprintf(`{"kind": "push", "branch": "b%d", "commits": [{"id": "%08x"}]}`, i%9, i)
		resp, err := http.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			log.Print(err)
		} else {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		time.Sleep(pause)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	in := &inbox{events: make(chan string, 32)}
	go func() {
		seen := make(map[string]int)
		for kind := range in.events {
			seen[kind]++
		}
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("/events", in.post)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	url := "http://" + ln.Addr().String() + "/events"
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 8
	for i := 0; i < envInt("CONCURRENCY", 3); i++ {
		go push(url, 15*time.Millisecond)
	}

	big := report(envInt("REPORT_MB", 9) << 20)
	took := make(chan time.Duration)
	go func() {
		for {
			start := time.Now()
			resp, err := http.Post(url, "application/json", strings.NewReader(big))
			if err != nil {
				log.Fatal(err)
			}
			resp.Body.Close()
			took <- time.Since(start)
			time.Sleep(600 * time.Millisecond)
		}
	}()
	for t := range took {
		fmt.Printf("figure report_time %.0f ms lower-is-better\n", float64(t)/1e6)
	}
}
