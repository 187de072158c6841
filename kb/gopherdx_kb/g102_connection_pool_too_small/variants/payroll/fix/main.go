// Command payroll books the hours of many people; a fixed set of clerks works through the slips.
package main

import (
	"database/sql"
	"fmt"
	"hash/crc32"
	"log"
	"math/rand"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type slip struct {
	person int
	hours  int
	text   []byte
}

// snippet:start
func (o *office) book(s slip) error {
	tx, err := o.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to undo after Commit
	if _, err := tx.Exec("UPDATE hours SET sum = sum + ? WHERE person = ?", s.hours, s.person); err != nil {
		return err
	}
	return tx.Commit()
}

func openOffice(b books, clerks int) *office {
	o := &office{db: sql.OpenDB(b), slips: make(chan slip)}
	o.db.SetMaxOpenConns(clerks + 2) // one for each clerk, and two for whoever else asks
	o.db.SetMaxIdleConns(clerks + 2)
	for i := 0; i < clerks; i++ {
		go o.clerk()
	}
	return o
}

// snippet:end

type office struct {
	db     *sql.DB
	slips  chan slip
	booked atomic.Int64
	sums   atomic.Uint32
}

func (o *office) clerk() {
	for s := range o.slips {
		for i := 0; i < 40; i++ {
			o.sums.Add(crc32.ChecksumIEEE(s.text))
		}
		if err := o.book(s); err != nil {
			log.Print(err)
			continue
		}
		o.booked.Add(1)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	clerks := envInt("CONCURRENCY", 16)
	o := openOffice(books{time.Duration(envInt("STATEMENT_MS", 3)) * time.Millisecond}, clerks)
	go func() {
		last := int64(0)
		for range time.Tick(time.Second) {
			now := o.booked.Load()
			fmt.Printf("figure slips %d 1/s higher-is-better\n", now-last)
			last = now
		}
	}()
	rng := rand.New(rand.NewSource(1))
	text := make([]byte, 4096)
	rng.Read(text)
	for {
		o.slips <- slip{person: rng.Intn(5000), hours: 1 + rng.Intn(9), text: text}
	}
}
