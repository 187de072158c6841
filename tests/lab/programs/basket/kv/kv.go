package kv

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

type Pool struct{ idle chan *link }

type link struct {
	c net.Conn
	r *bufio.Reader
}

func Open(addr string, n int) *Pool {
	p := &Pool{make(chan *link, n)}
	for i := 0; i < n; i++ {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			panic(err)
		}
		p.idle <- &link{c, bufio.NewReader(c)}
	}
	return p
}

func (p *Pool) Get(key string) (string, error) {
	l := <-p.idle
	defer func() { p.idle <- l }()
	if _, err := fmt.Fprintf(l.c, "GET %s\n", key); err != nil {
		return "", err
	}
	s, err := l.r.ReadString('\n')
	return strings.TrimSpace(s), err
}

func Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			r := bufio.NewReader(c)
			for {
				s, err := r.ReadString('\n')
				if err != nil {
					return
				}
				time.Sleep(3 * time.Millisecond)
				fmt.Fprintf(c, "v:%s", s)
			}
		}()
	}
}
