package main

import (
	"net"
	"net/textproto"
	"strings"
)

// serveMail takes every letter.
func serveMail(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go receive(textproto.NewConn(conn))
	}
}

func receive(c *textproto.Conn) {
	defer c.Close()
	c.PrintfLine("220 mail host")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "DATA":
			c.PrintfLine("354 go on")
			if _, err := c.ReadDotBytes(); err != nil {
				return
			}
			c.PrintfLine("250 taken")
		case "QUIT":
			c.PrintfLine("221 bye")
			return
		default:
			c.PrintfLine("250 ok")
		}
	}
}
