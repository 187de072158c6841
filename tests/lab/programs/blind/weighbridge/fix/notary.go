package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"
)

// notary countersigns seals over a few standing connections.
type notary struct{ lines chan *bufio.ReadWriter }

func openNotary(addr string, lines int) (*notary, error) {
	n := &notary{lines: make(chan *bufio.ReadWriter, lines)}
	for i := 0; i < lines; i++ {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		n.lines <- bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	}
	return n, nil
}

func (n *notary) countersign(seal []byte) (string, error) {
	rw := <-n.lines
	defer func() { n.lines <- rw }()
	fmt.Fprintf(rw, "%s\n", hex.EncodeToString(seal))
	if err := rw.Flush(); err != nil {
		return "", err
	}
	mark, err := rw.ReadString('\n')
	return strings.TrimSpace(mark), err
}

// serveNotary is the other side: it looks at each seal for a while.
func serveNotary(ln net.Listener, pause time.Duration) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			in := bufio.NewScanner(conn)
			for in.Scan() {
				time.Sleep(pause)
				fmt.Fprintf(conn, "N-%s\n", in.Text()[:12])
			}
		}()
	}
}
