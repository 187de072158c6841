package main

import (
	"bufio"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"time"
)

// pier is a slow database behind a socket: it answers a byte for a line.
type pier struct {
	addr string
	slow time.Duration
}

func (q *pier) listen() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	q.addr = ln.Addr().String()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				in := bufio.NewReader(c)
				for {
					if _, err := in.ReadSlice('\n'); err != nil {
						return
					}
					time.Sleep(q.slow)
					if _, err := c.Write([]byte{'1'}); err != nil {
						return
					}
				}
			}()
		}
	}()
	return nil
}

func (q *pier) Connect(context.Context) (driver.Conn, error) {
	c, err := net.Dial("tcp", q.addr)
	return &rope{c}, err
}

func (q *pier) Driver() driver.Driver { return nil }

type rope struct{ net.Conn }

func (l *rope) Begin() (driver.Tx, error) { return nil, driver.ErrSkip }

func (l *rope) Prepare(query string) (driver.Stmt, error) { return &order{l, query}, nil }

type order struct {
	*rope
	text string
}

func (o *order) Close() error { return nil }

func (o *order) NumInput() int { return -1 }

func (o *order) Exec(args []driver.Value) (driver.Result, error) {
	if _, err := fmt.Fprintln(o.Conn, o.text, args); err != nil {
		return nil, err
	}
	var answer [1]byte
	_, err := io.ReadFull(o.Conn, answer[:])
	return driver.RowsAffected(1), err
}

func (o *order) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }
