package main

import (
	"fmt"
	"net"
	"net/rpc"
	"time"
)

type Stock struct{}

func (Stock) Level(sku string, n *int) error {
	time.Sleep(4 * time.Millisecond)
	*n = len(sku)
	return nil
}

type order struct{ skus []string }

type desk struct{ c *rpc.Client }

func (d desk) total(o order) (sum int) {
	for _, s := range o.skus {
		sum += d.level(s)
	}
	return
}

func (d desk) level(s string) int {
	var n int
	if err := d.c.Call("Stock.Level", s, &n); err != nil {
		return 0
	}
	return n
}

func main() {
	rpc.Register(Stock{})
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go rpc.Accept(l)
	c, err := rpc.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	d := desk{c}
	for i := 0; ; i++ {
		o := order{}
		for j := 0; j < 8; j++ {
			o.skus = append(o.skus, fmt.Sprint("sku", i, j))
		}
		go handle(d, o)
		time.Sleep(time.Duration(envInt("EVERY_MS", 8)) * time.Millisecond)
	}
}

func handle(d desk, o order) {
	if d.total(o) < 0 {
		panic("total")
	}
}
