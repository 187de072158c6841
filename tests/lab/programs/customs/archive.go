package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"
)

// archive is the driver of the office's files: a page of a file is read from disk in about this time, whatever
// else is read meanwhile.
type archive struct{ read time.Duration }

func (a archive) Connect(ctx context.Context) (driver.Conn, error) { return reader(a), nil }

func (a archive) Driver() driver.Driver { return nil }

type reader archive

func (r reader) Close() error { return nil }

func (r reader) Begin() (driver.Tx, error) { return nil, errors.New("the files are read only") }

func (r reader) Prepare(query string) (driver.Stmt, error) {
	return nil, errors.New("statements are not kept")
}

func (r reader) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	number, ok := args[0].Value.(int64)
	if !ok {
		return nil, errors.New("want a number")
	}
	page := time.NewTimer(r.read + time.Duration(number%5)*r.read/10)
	defer page.Stop()
	select {
	case <-page.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &state{text: states[number%int64(len(states))]}, nil
}

var states = []string{"received", "under review", "released", "held for inspection"}

// state is one row of one column.
type state struct {
	text string
	read bool
}

func (s *state) Columns() []string { return []string{"state"} }

func (s *state) Close() error { return nil }

func (s *state) Next(dest []driver.Value) error {
	if s.read {
		return io.EOF
	}
	s.read = true
	dest[0] = s.text
	return nil
}
