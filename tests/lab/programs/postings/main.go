package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.com/postings/book"
	"example.com/postings/web"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, web.Routes(book.New()))
	base := "http://" + l.Addr().String()
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	for i := 0; i < envInt("TELLERS", 16); i++ {
		go teller(c, base, i)
	}
	for range time.Tick(time.Second) {
		fmt.Println("tick")
	}
}

func teller(c *http.Client, base string, i int) {
	for n := 0; ; n++ {
		u := fmt.Sprintf("%s/post?a=acc%d&n=%d", base, i, n)
		if n%5 == 4 {
			u = fmt.Sprintf("%s/balance?a=acc%d", base, i)
		}
		r, err := c.Get(u)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
}
