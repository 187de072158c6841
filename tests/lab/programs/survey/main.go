package main

import (
	"crypto/rand"
	"fmt"
	"time"
)

type finder struct {
	hay []byte
	pat []byte
}

func (f *finder) count() (n int) {
	for i := 0; i+len(f.pat) <= len(f.hay); i++ {
		j := 0
		for j < len(f.pat) && f.hay[i+j]&0x3f == f.pat[j]&0x3f {
			j++
		}
		if j == len(f.pat) {
			n++
		}
	}
	return n
}

func survey(f *finder) int {
	t := 0
	for r := 0; r < 1000000; r++ {
		f.pat[0]++
		t += f.count()
	}
	return t
}

func beat(d time.Duration) {
	for range time.Tick(d) {
		last = time.Now()
	}
}

var last time.Time

func main() {
	f := &finder{hay: make([]byte, envInt("HAY_MB", 32)<<20), pat: []byte("ab3")}
	rand.Read(f.hay)
	go beat(3 * time.Millisecond)
	go beat(7 * time.Millisecond)
	for i := 0; i < 5; i++ {
		go func() {
			c := make(chan int, 1)
			for {
				c <- 1
				<-c
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	fmt.Println(survey(f))
}
