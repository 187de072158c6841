package main

import (
	"fmt"
	"sync"
	"time"
)

type queue struct {
	mu sync.Mutex
	c  *sync.Cond
	q  []int
}

func (q *queue) put(v int) {
	q.mu.Lock()
	q.q = append(q.q, v)
	q.mu.Unlock()
	q.c.Signal()
}

func (q *queue) take() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.q) == 0 {
		q.c.Wait()
	}
	v := q.q[0]
	q.q = q.q[1:]
	return v
}

type call struct {
	wg sync.WaitGroup
	v  string
}

type group struct {
	mu sync.Mutex
	m  map[int]*call
}

func (g *group) do(k int, f func() string) string {
	g.mu.Lock()
	if c, ok := g.m[k]; ok {
		g.mu.Unlock()
		c.wg.Wait()
		return c.v
	}
	c := &call{}
	c.wg.Add(1)
	g.m[k] = c
	g.mu.Unlock()
	c.v = f()
	c.wg.Done()
	g.mu.Lock()
	delete(g.m, k)
	g.mu.Unlock()
	return c.v
}

func main() {
	q := &queue{}
	q.c = sync.NewCond(&q.mu)
	g := &group{m: map[int]*call{}}
	for i := 0; i < envInt("HANDS", 40); i++ {
		go func() {
			for {
				v := q.take()
				g.do(v%4, func() string {
					time.Sleep(10 * time.Millisecond)
					return fmt.Sprint(v)
				})
			}
		}()
	}
	for i := 0; ; i++ {
		q.put(i)
		if i%5 == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
}
