// Command network holds a large graph of people in memory and walks it for each request.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type person struct {
	name    string
	friends []*person
	next    *person
}

func build(n int) []*person {
	at := uint32(3)
	all := make([]*person, n)
	for i := range all {
		all[i] = &person{name: strconv.Itoa(i)}
	}
	for i, p := range all {
		p.next = all[(i+1)%n]
		p.friends = make([]*person, 0, 8)
		for k := 0; k < 8; k++ {
			at = at*1664525 + 1013904223
			p.friends = append(p.friends, all[int(at>>4)%n])
		}
	}
	return all
}

// nearby are the names within so many steps.
func nearby(p *person, steps int) []string {
	seen := map[*person]bool{p: true}
	edge := []*person{p}
	var names []string
	for ; steps > 0; steps-- {
		var further []*person
		for _, q := range edge {
			for _, f := range q.friends {
				if !seen[f] {
					seen[f] = true
					further = append(further, f)
					names = append(names, f.name)
				}
			}
		}
		edge = further
	}
	return names
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func serve(all []*person, rng *rand.Rand, answered *atomic.Int64) {
	for {
		if len(nearby(all[rng.Intn(len(all))], 4)) > 0 {
			answered.Add(1)
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {
	var answered atomic.Int64
	go func() {
		all := build(envInt("PEOPLE", 1_200_000))
		for i := 0; i < envInt("CONCURRENCY", 4); i++ {
			go serve(all, rand.New(rand.NewSource(int64(i))), &answered)
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := answered.Load()
		fmt.Printf("figure answers %d per_s higher-is-better\n", now-last)
		last = now
	}
}
