package main

import (
	"context"
	"database/sql/driver"
	"io"
	"time"
)

// books is a database inside the process whose statements take their time.
type books struct{ statement time.Duration }

func (b books) Connect(context.Context) (driver.Conn, error) {
	time.Sleep(b.statement) // a handshake
	return &page{b}, nil
}

func (b books) Driver() driver.Driver { return nil }

type page struct{ books }

func (p *page) Close() error { return nil }

func (p *page) Begin() (driver.Tx, error) {
	time.Sleep(p.statement / 4)
	return p, nil
}

func (p *page) Commit() error {
	time.Sleep(p.statement)
	return nil
}

func (p *page) Rollback() error { return nil }

func (p *page) Prepare(string) (driver.Stmt, error) { return &entry{p.books}, nil }

type entry struct{ books }

func (e *entry) Close() error { return nil }

func (e *entry) NumInput() int { return -1 }

func (e *entry) Exec([]driver.Value) (driver.Result, error) {
	time.Sleep(e.statement)
	return driver.RowsAffected(1), nil
}

func (e *entry) Query([]driver.Value) (driver.Rows, error) {
	time.Sleep(e.statement)
	return none{}, nil
}

type none struct{}

func (none) Columns() []string { return nil }

func (none) Close() error { return nil }

func (none) Next([]driver.Value) error { return io.EOF }
