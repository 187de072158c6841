package main

import (
	"fmt"
	"time"
)

type node struct {
	v    int
	l, r *node
}

func build(d int) *node {
	if d == 0 {
		return nil
	}
	return &node{d, build(d - 1), build(d - 1)}
}

func (n *node) each(yield chan<- int) {
	if n == nil {
		return
	}
	n.l.each(yield)
	yield <- n.v
	n.r.each(yield)
}

func walk(n *node) <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		n.each(c)
	}()
	return c
}

func first(n *node, k int) (out []int) {
	for v := range walk(n) {
		out = append(out, v)
		if len(out) == k {
			return
		}
	}
	return
}

func main() {
	root := build(6)
	t := time.NewTicker(time.Duration(envInt("EVERY_MS", 20)) * time.Millisecond)
	n := 0
	for range t.C {
		n += len(first(root, 3))
		if n%150 == 0 {
			fmt.Println(n)
		}
	}
}
