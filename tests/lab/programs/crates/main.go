package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

type parcel struct {
	ID    int      `json:"id"`
	To    string   `json:"to"`
	Marks []string `json:"marks"`
	Size  struct{ W, H int }
}

func accept(w http.ResponseWriter, r *http.Request) {
	var ps []parcel
	if err := json.NewDecoder(r.Body).Decode(&ps); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	fmt.Fprintln(w, len(ps))
}

func main() {
	var b strings.Builder
	b.WriteString("[")
	for i := 0; i < envInt("PARCELS", 100000); i++ {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"id":%d,"to":"street %d","marks":["m1","m2","m%d"],"Size":{"W":1,"H":%d}}`, i, i, i%9, i%5)
	}
	b.WriteString("]")
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/parcels", accept)
	http.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	go http.Serve(l, nil)
	go func() {
		for range time.Tick(4 * time.Millisecond) {
			if r, err := http.Get("http://" + l.Addr().String() + "/ok"); err == nil {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		}
	}()
	for {
		r, err := http.Post("http://"+l.Addr().String()+"/parcels", "application/json", bytes.NewReader([]byte(b.String())))
		if err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
}
