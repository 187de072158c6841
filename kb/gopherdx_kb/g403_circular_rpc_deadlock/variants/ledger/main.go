// Command ledger keeps accounts in one service and the limits of their owners in another; they speak net/rpc.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// desks are the places at which requests are worked on: as many at once as there are desks.
type desks chan struct{}

func desksFor(n int) desks {
	d := make(desks, n)
	for i := 0; i < n; i++ {
		d <- struct{}{}
	}
	return d
}

func (d desks) take() { <-d }
func (d desks) back() { d <- struct{}{} }

// Transfer asks for an amount to be moved between two accounts.
type Transfer struct{ From, To, Cents int }

// Accounts holds the balances.
type Accounts struct {
	desks  desks
	owners *rpc.Client
	moved  atomic.Int64
	mu     sync.Mutex
	cents  map[int]int
}

// Move transfers money when the owner's limit allows it.
func (a *Accounts) Move(t Transfer, done *bool) error {
	a.desks.take()
	defer a.desks.back()
	var allowed int
	if err := a.owners.Call("Owners.Allowance", t.From, &allowed); err != nil {
		return err
	}
	if t.Cents > allowed {
		return errors.New("over the limit")
	}
	a.mu.Lock()
	a.cents[t.From] -= t.Cents
	a.cents[t.To] += t.Cents
	a.mu.Unlock()
	a.moved.Add(1)
	*done = true
	return nil
}

// Balance tells what an account holds.
func (a *Accounts) Balance(account int, cents *int) error {
	a.desks.take()
	defer a.desks.back()
	a.mu.Lock()
	defer a.mu.Unlock()
	*cents = a.cents[account]
	return nil
}

// Owners knows how much an owner may spend.
type Owners struct {
	accounts *rpc.Client
	credit   int
}

// Allowance is the balance and the owner's credit.
func (o *Owners) Allowance(account int, cents *int) error {
	var balance int
	if err := o.accounts.Call("Accounts.Balance", account, &balance); err != nil {
		return err
	}
	*cents = balance + o.credit
	return nil
}

// serve answers calls to one service on a port of its own and returns a connection to it.
func serve(name string, service any) *rpc.Client {
	server := rpc.NewServer()
	if err := server.RegisterName(name, service); err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Accept(ln)
	client, err := rpc.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// teller moves money, one transfer after another.
func teller(n int, accounts *rpc.Client) {
	for i := 0; ; i++ {
		var done bool
		t := Transfer{From: (n*37 + i) % 500, To: (n*41 + i*3) % 500, Cents: 1 + i%900}
		if err := accounts.Call("Accounts.Move", t, &done); err != nil && i%1000 == 0 {
			log.Print(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	a := &Accounts{desks: desksFor(envInt("DESKS", 6)), cents: map[int]int{}}
	o := &Owners{credit: 1_000_000_000}
	accounts := serve("Accounts", a)
	o.accounts = accounts
	a.owners = serve("Owners", o)
	for i := 0; i < envInt("CONCURRENCY", 20); i++ {
		go teller(i, accounts)
	}
	last := a.moved.Load()
	for range time.Tick(time.Second) {
		now := a.moved.Load()
		fmt.Printf("figure transfers %d per_s higher-is-better\n", now-last)
		last = now
	}
}
