package main

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// The depot's own wire protocol: one line of text there, one line back.

type connector struct{ addr string }

func (c connector) Driver() driver.Driver { return c }

func (c connector) Open(addr string) (driver.Conn, error) {
	return connector{addr}.Connect(context.Background())
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReader(conn)}, nil
}

type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

var errPrepare = errors.New("the depot prepares nothing")

func (w *wire) ask(line string) (string, error) {
	if _, err := io.WriteString(w.conn, line+"\n"); err != nil {
		return "", driver.ErrBadConn
	}
	answer, err := w.in.ReadString('\n')
	if err != nil {
		return "", driver.ErrBadConn
	}
	return strings.TrimSuffix(answer, "\n"), nil
}

func (w *wire) Prepare(string) (driver.Stmt, error) { return nil, errPrepare }
func (w *wire) Close() error                        { return w.conn.Close() }
func (w *wire) Begin() (driver.Tx, error)           { return w.BeginTx(context.Background(), driver.TxOptions{}) }

func (w *wire) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	_, err := w.ask("BEGIN")
	return transaction{w}, err
}

type transaction struct{ w *wire }

func (t transaction) Commit() error   { _, err := t.w.ask("COMMIT"); return err }
func (t transaction) Rollback() error { _, err := t.w.ask("ROLLBACK"); return err }

func filled(query string, args []driver.NamedValue) string {
	for _, a := range args {
		query = strings.Replace(query, "?", fmt.Sprint(a.Value), 1)
	}
	return query
}

func (w *wire) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, err := w.ask(filled(query, args))
	return driver.RowsAffected(1), err
}

func (w *wire) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	answer, err := w.ask(filled(query, args))
	return &row{value: answer}, err
}

// row is an answer of one number.
type row struct {
	value string
	read  bool
}

func (r *row) Columns() []string { return []string{"value"} }
func (r *row) Close() error      { return nil }

func (r *row) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	n, err := strconv.ParseInt(r.value, 10, 64)
	dest[0] = n
	return err
}

// serveDepot is the database: each statement takes it its time, connections do not disturb each other.
func serveDepot(ln net.Listener) {
	takes := map[string]time.Duration{"SELECT": 5 * time.Millisecond, "UPDATE": 7 * time.Millisecond, "COMMIT": 4 * time.Millisecond}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for n := 1; lines.Scan(); n++ {
				verb, _, _ := strings.Cut(lines.Text(), " ")
				time.Sleep(takes[verb])
				fmt.Fprintln(conn, n)
			}
		}()
	}
}
