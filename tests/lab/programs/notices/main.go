// Command notices shows the notices of a town; an address with a spelling mistake is answered with a hint.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type town struct {
	db      *sql.DB
	shown   atomic.Int64
	refused atomic.Int64
	limit   time.Duration
}

// first shows the newest notice, and leaves the others where they are.
func (t *town) first(street int) (string, error) {
	rows, err := t.db.Query("SELECT text FROM notices WHERE street =", street)
	if err != nil {
		return "", err
	}
	var text string
	if rows.Next() {
		err = rows.Scan(&text)
	}
	return text, err
}

// all shows every notice of a street, and waits no longer than its limit.
func (t *town) all(street int) (int, error) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if t.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, t.limit)
	}
	defer cancel()
	rows, err := t.db.QueryContext(ctx, "SELECT text FROM notices WHERE street =", street)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

func (t *town) visitor(seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		street := rng.Intn(1000)
		var err error
		if rng.Intn(8) == 0 && seed%4 == 0 {
			_, err = t.first(street)
		} else {
			_, err = t.all(street)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.refused.Add(1)
		} else {
			t.shown.Add(1)
		}
		time.Sleep(time.Duration(1+rng.Intn(3)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n >= 0 {
		return n
	}
	return fallback
}

func main() {
	t := &town{db: sql.OpenDB(board{2 * time.Millisecond})}
	t.limit = time.Duration(envInt("LIMIT_MS", 1000)) * time.Millisecond
	t.db.SetMaxOpenConns(8)
	t.db.SetMaxIdleConns(8)
	for i := 0; i < envInt("CONCURRENCY", 20); i++ {
		go t.visitor(int64(i))
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := t.shown.Load()
		fmt.Printf("figure shown %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
