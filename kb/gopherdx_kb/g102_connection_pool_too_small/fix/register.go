package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"strings"
	"time"
)

// register stands in for the database server: it answers each session's lines after a time that a disk would
// take, all sessions side by side.
type register struct {
	places []string
	read   time.Duration
}

func (r *register) listen() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go r.serve(c)
		}
	}()
	return ln.Addr().String()
}

func (r *register) serve(c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		n := lastNumber(strings.TrimSpace(lines.Text()))
		time.Sleep(r.read + time.Duration(n%5)*r.read/10)
		if _, err := fmt.Fprintln(c, r.places[n%len(r.places)]); err != nil {
			return
		}
	}
}
