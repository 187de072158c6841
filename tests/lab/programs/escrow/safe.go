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

// safe is a slow database behind a socket: it answers a byte for a line.
type safe struct {
	addr string
	slow time.Duration
}

func (q *safe) listen() error {
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

func (q *safe) Connect(context.Context) (driver.Conn, error) {
	c, err := net.Dial("tcp", q.addr)
	return &key{c}, err
}

func (q *safe) Driver() driver.Driver { return nil }

type key struct{ net.Conn }

func (k *key) Begin() (driver.Tx, error) { return k, k.say("BEGIN") }

func (k *key) Commit() error { return k.say("COMMIT") }

func (k *key) Rollback() error { return k.say("ROLLBACK") }

// say sends a line and waits for its answer.
func (k *key) say(words ...any) error {
	if _, err := fmt.Fprintln(k.Conn, words...); err != nil {
		return err
	}
	var answer [1]byte
	_, err := io.ReadFull(k.Conn, answer[:])
	return err
}

func (k *key) Prepare(query string) (driver.Stmt, error) { return &order{k, query}, nil }

type order struct {
	*key
	text string
}

func (o *order) Close() error { return nil }

func (o *order) NumInput() int { return -1 }

func (o *order) Exec(args []driver.Value) (driver.Result, error) {
	return driver.RowsAffected(1), o.say(o.text, args)
}

func (o *order) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }
