// Command library lends books: each desk looks up who has which copy in PostgreSQL. DATABASE_URL says where it is.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	_ "github.com/lib/pq"
)

// snippet:start
type catalogue struct {
	db   *sql.DB
	copy *sql.Stmt
}

func openCatalogue(ctx context.Context, url string) (*catalogue, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2)
	db.SetConnMaxIdleTime(5 * time.Minute)
	// pg_sleep is the disk that a large table would be on.
	find, err := db.PrepareContext(ctx, `SELECT reader, pg_sleep(0.006) FROM copies WHERE book = $1`)
	return &catalogue{db, find}, err
}

// snippet:end

func (c *catalogue) readers(ctx context.Context, book int) ([]string, error) {
	rows, err := c.copy.QueryContext(ctx, book)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var readers []string
	for rows.Next() {
		var reader, slept string
		if err := rows.Scan(&reader, &slept); err != nil {
			return nil, err
		}
		readers = append(readers, reader)
	}
	return readers, rows.Err()
}

func (c *catalogue) fill(ctx context.Context, books int) error {
	for _, statement := range []string{
		`DROP TABLE IF EXISTS copies`,
		`CREATE TABLE copies (book int PRIMARY KEY, reader text)`,
		`INSERT INTO copies SELECT n, 'reader ' || n % 97 FROM generate_series(0, ` + strconv.Itoa(books-1) + `) n`,
	} {
		if _, err := c.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

type desks struct {
	books *catalogue
	lent  atomic.Int64
	took  atomic.Int64
}

// serve handles one reader after another: a question every few milliseconds, and each has a second.
func (d *desks) serve(seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		began := time.Now()
		_, err := d.books.readers(ctx, rng.Intn(books))
		cancel()
		if err != nil {
			log.Print(err)
			continue
		}
		d.took.Add(int64(time.Since(began)))
		d.lent.Add(1)
		time.Sleep(time.Duration(rng.Intn(4)) * time.Millisecond)
	}
}

const books = 5000

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	ctx := context.Background()
	url := os.Getenv("DATABASE_URL")
	c, err := openFilled(ctx, url)
	if err != nil {
		log.Fatal(err)
	}
	d := &desks{books: c}
	for i := 0; i < envInt("CONCURRENCY", 12); i++ {
		go d.serve(int64(i))
	}
	lastTook, lastLent := int64(0), int64(0)
	for range time.Tick(time.Second) {
		took, lent := d.took.Load(), d.lent.Load()
		mean := float64(took-lastTook) / 1e6 / float64(max(1, lent-lastLent))
		fmt.Printf("figure answer %.2f ms lower-is-better\n", mean)
		lastTook, lastLent = took, lent
	}
}

// openFilled makes the table with a pool of its own, and opens the one that the desks use.
func openFilled(ctx context.Context, url string) (*catalogue, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	if err := (&catalogue{db: db}).fill(ctx, books); err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return openCatalogue(ctx, url)
}
