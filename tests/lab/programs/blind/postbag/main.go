// Command postbag brings letters to the mail hosts of their recipients.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/smtp"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type letter struct {
	from, to string
	host     string
	text     string
	posted   time.Time
}

// relay delivers letters, each over a connection of its own, as mail hosts want it.
type relay struct {
	port   string
	dialer net.Dialer
	bags   sync.WaitGroup
	took   func(time.Duration)
}

func newRelay(port string, names *net.Resolver) *relay {
	return &relay{port: port, dialer: net.Dialer{Timeout: 3 * time.Second, Resolver: names}}
}

// reach opens a conversation with a mail host.
func (r *relay) reach(ctx context.Context, host string) (*smtp.Client, error) {
	conn, err := r.dialer.DialContext(ctx, "tcp4", net.JoinHostPort(host, r.port))
	if err != nil {
		return nil, err
	}
	return smtp.NewClient(conn, host)
}

func (r *relay) deliver(ctx context.Context, l letter) error {
	c, err := r.reach(ctx, l.host)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Mail(l.from); err != nil {
		return err
	}
	if err := c.Rcpt(l.to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(l.text)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// carry empties a bag, with several carriers.
func (r *relay) carry(ctx context.Context, bag <-chan letter, carriers int) {
	r.bags.Add(carriers)
	for i := 0; i < carriers; i++ {
		go func() {
			defer r.bags.Done()
			for l := range bag {
				if err := r.deliver(ctx, l); err != nil {
					log.Print(err)
					continue
				}
				r.took(time.Since(l.posted))
			}
		}()
	}
}

// resolver asks one name server, in Go.
func resolver(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server)
	}}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go serveNames(names, time.Duration(envInt("NAMES_MS", 45))*time.Millisecond)
	hosts, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go serveMail(hosts)
	_, port, err := net.SplitHostPort(hosts.Addr().String())
	if err != nil {
		log.Fatal(err)
	}

	var letters, micros atomic.Int64
	r := newRelay(port, resolver(names.LocalAddr().String()))
	r.took = func(d time.Duration) {
		letters.Add(1)
		micros.Add(d.Microseconds())
	}
	bag := make(chan letter)
	r.carry(context.Background(), bag, envInt("CARRIERS", 16))
	go func() {
		n := 0
		for now := range time.Tick(time.Second / time.Duration(envInt("LETTERS", 60))) {
			n++
			bag <- letter{
				from: "desk@postbag.example", to: fmt.Sprintf("reader%d@town%d.example", n, n%25),
				host: fmt.Sprintf("mail.town%d.example.", n%25), text: "Subject: news\r\n\r\nNone.\r\n", posted: now,
			}
		}
	}()
	for range time.Tick(time.Second) {
		n, sum := letters.Swap(0), micros.Swap(0)
		if n > 0 {
			fmt.Printf("figure delivery %.2f ms lower-is-better\n", float64(sum)/float64(n)/1000)
		}
	}
}
