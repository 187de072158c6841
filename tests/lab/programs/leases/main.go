// Command leases gives out leases on seats. Whoever takes a seat hands the lease back soon, or loses it after a minute.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type lease struct {
	seat int
	ctx  context.Context
	end  context.CancelFunc
}

// office gives out seats.
type office struct {
	free chan int
	back atomic.Int64
}

func (o *office) take(ctx context.Context, term time.Duration) lease {
	ctx, end := context.WithTimeout(ctx, term)
	return lease{<-o.free, ctx, end}
}

func (o *office) hand(l lease) {
	if l.ctx.Err() == nil {
		o.back.Add(1)
	}
	o.free <- l.seat
}

func (o *office) visitor(rate int) {
	for range time.Tick(5 * time.Millisecond) {
		for i := 0; i < rate/200; i++ {
			o.hand(o.take(context.Background(), time.Minute))
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
	o := &office{free: make(chan int, 64)}
	for seat := 0; seat < 64; seat++ {
		o.free <- seat
	}
	visitors := envInt("VISITORS", 5)
	for i := 0; i < visitors; i++ {
		go o.visitor(envInt("RATE", 20000) / visitors)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := o.back.Load()
		fmt.Printf("figure leases %d per_s higher-is-better\n", now-last)
		last = now
	}
}
