// Command harbour writes down ships as they come in: as many clerks as there are connections, and a slow database.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type ship struct{ id, load int }

type office struct {
	db      *sql.DB
	arrived chan ship
	written atomic.Int64
}

func (o *office) clerk() {
	for s := range o.arrived {
		if _, err := o.db.Exec("INSERT INTO ships VALUES", s.id, s.load); err != nil {
			log.Print(err)
		}
		o.written.Add(1)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	q := &quay{slow: time.Duration(envInt("SLOW_MS", 25)) * time.Millisecond}
	if err := q.listen(); err != nil {
		log.Fatal(err)
	}
	clerks := envInt("CONCURRENCY", 12)
	o := &office{db: sql.OpenDB(q), arrived: make(chan ship, 64)}
	o.db.SetMaxOpenConns(clerks)
	o.db.SetMaxIdleConns(clerks)
	for i := 0; i < clerks; i++ {
		go o.clerk()
	}
	go func() {
		last := int64(0)
		for range time.Tick(time.Second) {
			now := o.written.Load()
			fmt.Printf("figure ships %d 1/s higher-is-better\n", now-last)
			last = now
		}
	}()
	for i := 0; ; i++ {
		o.arrived <- ship{i, i * 7 % 100}
	}
}
