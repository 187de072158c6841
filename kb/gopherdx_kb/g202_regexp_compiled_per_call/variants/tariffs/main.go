// Command tariffs answers over net/rpc what it costs to send a parcel: the zone goes by the shape of the address.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/rpc"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Parcel is what a caller asks about.
type Parcel struct {
	Postcode string
	Country  string
	Grams    int
}

// zone is a part of the world with one price.
type zone struct {
	name    string
	country string
	codes   string
	cents   int
}

var zones = []zone{
	{"city", "DE", `^1(0[1-9]|1[0-9]|2[0-6]|3[0-5])\d{2}$`, 290},
	{"islands", "DE", `^(18565|2584[5-9]|25859|2586[3-9]|25938|2649[0-9]|26757|27498)$`, 940},
	{"home", "DE", `^\d{5}$`, 450},
	{"london", "GB", `^(?:E|EC|N|NW|SE|SW|W|WC)\d{1,2}[A-Z]? ?\d[A-Z]{2}$`, 820},
	{"britain", "GB", `^[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}$`, 980},
	{"randstad", "NL", `^(?:1[0-1]\d{2}|2[5-6]\d{2}|3[0-1]\d{2}) ?[A-Z]{2}$`, 610},
	{"low lands", "NL", `^[1-9]\d{3} ?[A-Z]{2}$`, 690},
}

// book finds the zone of an address.
type book struct {
	country string
	zones   []zone
	shapes  []*regexp.Regexp
}

func newBook(country string) (*book, error) {
	b := &book{country: country}
	for _, z := range zones {
		if z.country != country {
			continue
		}
		shape, err := regexp.Compile(z.codes)
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.name, err)
		}
		b.zones, b.shapes = append(b.zones, z), append(b.shapes, shape)
	}
	return b, nil
}

func (b *book) find(postcode string) (zone, bool) {
	code := strings.ToUpper(strings.TrimSpace(postcode))
	for i, shape := range b.shapes {
		if shape.MatchString(code) {
			return b.zones[i], true
		}
	}
	return zone{}, false
}

// Tariffs is the service.
type Tariffs struct {
	quotes atomic.Int64
}

var errNowhere = errors.New("no zone for this address")

// snippet:start
// Quote answers the price in cents.
func (t *Tariffs) Quote(p Parcel, cents *int) error {
	b, err := newBook(p.Country)
	if err != nil {
		return err
	}
	z, ok := b.find(p.Postcode)
	if !ok {
		return errNowhere
	}
	*cents = z.cents + p.Grams/500*35
	t.quotes.Add(1)
	return nil
}

// snippet:end

func ask(addr string, number int) {
	client, err := rpc.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	for i := number; ; i++ {
		p := Parcel{Grams: 200 + i%9000}
		switch i % 3 {
		case 0:
			p.Country, p.Postcode = "DE", fmt.Sprintf("%05d", 10000+i*7%80000)
		case 1:
			p.Country, p.Postcode = "GB", fmt.Sprintf("M%d 4BT", 1+i%30)
		default:
			p.Country, p.Postcode = "NL", fmt.Sprintf("%d KV", 1000+i%8000)
		}
		var cents int
		if err := client.Call("Tariffs.Quote", p, &cents); err != nil {
			log.Print(p, err)
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	t := &Tariffs{}
	server := rpc.NewServer()
	if err := server.Register(t); err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Accept(ln)
	for i := 0; i < envInt("CALLERS", 5); i++ {
		go ask(ln.Addr().String(), i*100)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := t.quotes.Load()
		fmt.Printf("figure quotes %d per_s higher-is-better\n", now-last)
		last = now
	}
}
