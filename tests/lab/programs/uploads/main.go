package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"example.com/uploads/wire"
)

func upload(w http.ResponseWriter, r *http.Request) {
	defer r.Body.Close()
	doc := map[string]any{}
	if err := wire.Read(r.Body, &doc); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	items, _ := doc["items"].([]any)
	fmt.Fprintln(w, len(items))
}

func health(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }

func body(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i := 0; i < n; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"title":"item number %d","price":%d.5,"labels":["red","blue","x%d"],"dims":{"w":%d,"h":2}}`, i, i, i%100, i, i%7)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func main() {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	m := http.NewServeMux()
	m.HandleFunc("/upload", upload)
	m.HandleFunc("/health", health)
	go http.Serve(l, m)
	base := "http://" + l.Addr().String()
	for i := 0; i < 3; i++ {
		go func() {
			for range time.Tick(5 * time.Millisecond) {
				if r, err := http.Get(base + "/health"); err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	p := body(envInt("ITEMS", 150000))
	for {
		r, err := http.Post(base+"/upload", "application/json", bytes.NewReader(p))
		if err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		time.Sleep(200 * time.Millisecond)
	}
}
