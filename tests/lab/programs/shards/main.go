package main

import (
	"errors"
	"fmt"
	"math/rand"
	"time"
)

type reply struct {
	part int
	err  error
}

type shard interface{ read(int) error }

type far struct{ d time.Duration }

func (s far) read(i int) error {
	time.Sleep(s.d + time.Duration(rand.Intn(3))*time.Millisecond)
	if rand.Intn(6) == 0 {
		return errors.New("read")
	}
	return nil
}

type cluster struct{ parts []shard }

func (c *cluster) ask(i int, replies chan<- reply) {
	replies <- reply{i, c.parts[i].read(i)}
}

func (c *cluster) all() error {
	replies := make(chan reply)
	for i := range c.parts {
		go c.ask(i, replies)
	}
	for range c.parts {
		if r := <-replies; r.err != nil {
			return fmt.Errorf("part %d: %w", r.part, r.err)
		}
	}
	return nil
}

func main() {
	c := &cluster{}
	for i := 0; i < 6; i++ {
		c.parts = append(c.parts, far{time.Duration(i+1) * time.Millisecond})
	}
	work := make(chan struct{})
	for i := 0; i < 100; i++ {
		go func() {
			for range work {
				c.all()
			}
		}()
	}
	for {
		work <- struct{}{}
		time.Sleep(time.Duration(envInt("EVERY_MS", 4)) * time.Millisecond)
	}
}
