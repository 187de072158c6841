// Command thumbs serves small previews of pictures over HTTP and keeps the newest in memory.
package main

import (
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	sourceEdge  = 512
	previewEdge = 64
	keepAtMost  = 256
)

// snippet:start
type previewKey struct{ picture, edge int }

type previews struct {
	mu    sync.Mutex
	ready map[previewKey][]byte
}

func (p *previews) get(key previewKey) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if img, ok := p.ready[key]; ok {
		return img
	}
	img := scale(key.picture, key.edge)
	if len(p.ready) >= keepAtMost {
		clear(p.ready)
	}
	p.ready[key] = img
	return img
}

// snippet:end

// master is the raster that every picture is cut from.
var master = func() []uint8 {
	px := make([]uint8, sourceEdge*sourceEdge)
	for i := range px {
		px[i] = uint8(i*7 + i/sourceEdge*13)
	}
	return px
}()

var rasters = sync.Pool{New: func() any { return new([sourceEdge * sourceEdge]uint8) }}

// scale smooths one picture and samples it down to edge x edge pixels.
func scale(picture, edge int) []byte {
	raster := rasters.Get().(*[sourceEdge * sourceEdge]uint8)
	defer rasters.Put(raster)
	work := raster[:]
	shift := picture * 31 % len(master)
	copy(work, master[shift:])
	copy(work[len(master)-shift:], master[:shift])
	for pass := 0; pass < 3; pass++ {
		smooth(work)
	}
	step := sourceEdge / edge
	img := make([]byte, 0, edge*edge)
	for y := 0; y < edge; y++ {
		for x := 0; x < edge; x++ {
			img = append(img, work[y*step*sourceEdge+x*step])
		}
	}
	return img
}

func smooth(px []uint8) {
	for i := sourceEdge; i < len(px)-sourceEdge; i++ {
		sum := int(px[i-1]) + int(px[i+1]) + int(px[i-sourceEdge]) + int(px[i+sourceEdge]) + 4*int(px[i])
		px[i] = uint8(sum / 8)
	}
}

type server struct {
	previews previews
	served   atomic.Int64
	bytesOut atomic.Int64
	access   chan string
}

func (s *server) preview(w http.ResponseWriter, r *http.Request) {
	picture, err := strconv.Atoi(r.URL.Query().Get("picture"))
	if err != nil || picture < 0 {
		http.Error(w, "picture: want a number", http.StatusBadRequest)
		return
	}
	img := s.previews.get(previewKey{picture, previewEdge})
	w.Header().Set("Content-Type", "application/octet-stream")
	n, _ := w.Write(img)
	s.bytesOut.Add(int64(n))
	s.served.Add(1)
	select {
	case s.access <- r.URL.RawQuery:
	default: // the log may lose lines, a request may not wait for it
	}
}

func (s *server) writeAccessLog(w io.Writer) {
	for line := range s.access {
		fmt.Fprintln(w, line)
	}
}

// report prints the figure of each second.
func (s *server) report() {
	last := s.served.Load()
	for range time.Tick(time.Second) {
		now := s.served.Load()
		fmt.Printf("figure previews %d req/s higher-is-better\n", now-last)
		last = now
	}
}

func visit(base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		resp, err := http.Get(base + "/preview?picture=" + strconv.Itoa(rng.Intn(20_000)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &server{access: make(chan string, 64)}
	s.previews.ready = make(map[previewKey][]byte)
	go s.writeAccessLog(io.Discard)

	// Workers for uploads: part of the service, without work in this run.
	uploads := make(chan []byte)
	for i := 0; i < 4; i++ {
		go func() {
			for body := range uploads {
				s.bytesOut.Add(-int64(len(body)))
			}
		}()
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/preview", s.preview)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()

	base := "http://" + ln.Addr().String()
	clients := envInt("CONCURRENCY", 8)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go visit(base, int64(i))
	}
	s.report()
}
