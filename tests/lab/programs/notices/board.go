package main

import (
	"context"
	"database/sql/driver"
	"io"
	"strconv"
	"time"
)

// board is a database inside the process: each question takes a while, and answers with some rows.
type board struct{ question time.Duration }

func (b board) Connect(context.Context) (driver.Conn, error) { return seat{b}, nil }

func (b board) Driver() driver.Driver { return nil }

type seat struct{ board }

func (s seat) Close() error { return nil }

func (s seat) Begin() (driver.Tx, error) { return nil, driver.ErrSkip }

func (s seat) Prepare(string) (driver.Stmt, error) { return ask{s.board}, nil }

type ask struct{ board }

func (a ask) Close() error { return nil }

func (a ask) NumInput() int { return -1 }

func (a ask) Exec([]driver.Value) (driver.Result, error) { return driver.ResultNoRows, nil }

func (a ask) Query([]driver.Value) (driver.Rows, error) {
	time.Sleep(a.question)
	return &texts{left: 3}, nil
}

type texts struct{ left int }

func (t *texts) Columns() []string { return []string{"text"} }

func (t *texts) Close() error { return nil }

func (t *texts) Next(dest []driver.Value) error {
	if t.left == 0 {
		return io.EOF
	}
	dest[0] = "notice " + strconv.Itoa(t.left)
	t.left--
	return nil
}
