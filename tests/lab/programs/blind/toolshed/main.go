// Command toolshed books returned tools: slips come in through a queue, clerks work them off against the depot.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type slip struct {
	tool, borrower int
	late           bool
}

type shed struct{ db *sql.DB }

func openShed(addr string, clerks int) *shed {
	db := sql.OpenDB(connector{addr})
	db.SetMaxOpenConns(3)
	db.SetMaxIdleConns(3)
	db.SetConnMaxIdleTime(time.Minute)
	return &shed{db: db}
}

// within runs all that belongs together, or none of it.
func (s *shed) within(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

// handBack puts a tool on its shelf again and charges who brought it too late.
func (s *shed) handBack(ctx context.Context, sl slip) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		var shelf int
		if err := tx.QueryRowContext(ctx, "SELECT shelf FROM tools WHERE id = ?", sl.tool).Scan(&shelf); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE tools SET shelf = ? WHERE id = ?", shelf, sl.tool); err != nil {
			return err
		}
		if !sl.late {
			return nil
		}
		_, err := tx.ExecContext(ctx, "UPDATE borrowers SET fee = fee + 1 WHERE id = ?", sl.borrower)
		return err
	})
}

// queue gives out slips for as long as somebody takes them.
func queue(ctx context.Context) <-chan slip {
	out := make(chan slip, 16)
	go func() {
		defer close(out)
		for n := 0; ; n++ {
			select {
			case out <- slip{tool: n % 900, borrower: n % 211, late: n%5 == 0}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

type clerks struct {
	shed   *shed
	booked atomic.Int64
	wg     sync.WaitGroup
}

func (c *clerks) start(ctx context.Context, n int, slips <-chan slip) {
	c.wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer c.wg.Done()
			for sl := range slips {
				if err := c.shed.handBack(ctx, sl); err != nil {
					log.Print(err)
					continue
				}
				c.booked.Add(1)
			}
		}()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go serveDepot(ln)
	count := envInt("CLERKS", 28)
	c := &clerks{shed: openShed(ln.Addr().String(), count)}
	ctx := context.Background()
	c.start(ctx, count, queue(ctx))
	last := int64(0)
	for range time.Tick(time.Second) {
		now := c.booked.Load()
		fmt.Printf("figure booked %d per_s higher-is-better\n", now-last)
		last = now
	}
}
