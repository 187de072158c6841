package main

import (
	"crypto/sha512"
	"fmt"
	"runtime"
	"time"
)

func digest(n int) byte {
	var b [4096]byte
	var x byte
	for i := 0; i < n; i++ {
		s := sha512.Sum512(b[:])
		copy(b[:], s[:])
		x ^= s[0]
	}
	return x
}

func main() {
	buf := envInt("BUF", 0)
	in := make(chan int, buf)
	out := make(chan byte, buf)
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go func() {
			for n := range in {
				out <- digest(n)
			}
		}()
	}
	go func() {
		for i := 0; ; i++ {
			in <- 600 + (i*37)%5000
		}
	}()
	go func() {
		for range time.Tick(20 * time.Millisecond) {
		}
	}()
	t := 0
	for v := range out {
		t += int(v)
		if t == -1 {
			fmt.Println(t)
		}
	}
}
