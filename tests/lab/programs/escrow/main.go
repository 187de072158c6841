// Command escrow pays out deposits: it notes each in a transaction, which is open until the bank has agreed.
package main

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type agent struct {
	db   *sql.DB
	bank string
	paid atomic.Int64
}

func (a *agent) pay(deposit int) error {
	tx, err := a.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := a.ask(deposit); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM deposits WHERE id =", deposit); err != nil {
		return err
	}
	return tx.Commit()
}

func (a *agent) ask(deposit int) error {
	resp, err := http.Post(a.bank+"?deposit="+strconv.Itoa(deposit), "text/plain", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	s := &safe{slow: time.Millisecond}
	if err := s.listen(); err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	thinks := time.Duration(envInt("BANK_MS", 30)) * time.Millisecond
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(thinks)
		fmt.Fprintln(w, "agreed")
	}))
	a := &agent{db: sql.OpenDB(s), bank: "http://" + ln.Addr().String()}
	a.db.SetMaxOpenConns(10)
	a.db.SetMaxIdleConns(10)
	clients := envInt("CONCURRENCY", 30)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	for i := 0; i < clients; i++ {
		go func(deposit int) {
			for ; ; deposit += clients {
				if err := a.pay(deposit); err != nil {
					log.Print(err)
					continue
				}
				a.paid.Add(1)
			}
		}(i)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := a.paid.Load()
		fmt.Printf("figure payments %d 1/s higher-is-better\n", now-last)
		last = now
	}
}
