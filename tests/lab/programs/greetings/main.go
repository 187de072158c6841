package main

import (
	"io"
	"net"
	"net/http"
	"time"

	"example.com/greetings/page"
)

var rows []page.Row

func list(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, page.Table(rows))
}

func main() {
	for i := 0; i < 120; i++ {
		rows = append(rows, page.Row{ID: i, Name: "name of a row"})
	}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	m := http.NewServeMux()
	m.HandleFunc("/list", list)
	go http.Serve(l, m)
	for i := 0; i < envInt("READERS", 4); i++ {
		go func() {
			for {
				resp, err := http.Get("http://" + l.Addr().String() + "/list")
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	select {}
}
