// Command ropes rings bells in towers, over a connection for each stroke. The towers let few in at a time.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

type ringer struct {
	port    string
	strokes atomic.Int64
	spentNs atomic.Int64
}

// ring opens a connection, waits for the bell, and closes it.
func (r *ringer) ring() error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("localhost", r.port), 20*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.ReadAll(conn)
	return err
}

func (r *ringer) work() {
	for {
		start := time.Now()
		if err := r.ring(); err != nil {
			log.Print(err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		r.spentNs.Add(int64(time.Since(start)))
		r.strokes.Add(1)
	}
}

// tower listens with next to no backlog, and lets one in every 20 ms: the kernel drops what comes beyond that, and
// whoever knocks tries again after a second.
func tower() (port string, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return "", err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", err
	}
	if err := syscall.Listen(fd, 1); err != nil {
		return "", err
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			time.Sleep(20 * time.Millisecond)
			in, _, err := syscall.Accept(fd)
			if err != nil {
				continue
			}
			syscall.Write(in, []byte("dong\n"))
			syscall.Close(in)
		}
	}()
	return strconv.Itoa(at.(*syscall.SockaddrInet4).Port), nil
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	port, err := tower()
	if err != nil {
		log.Fatal(err)
	}
	r := &ringer{port: port}
	for i := 0; i < envInt("CONCURRENCY", 10); i++ {
		go r.work()
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := r.strokes.Load(), r.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure stroke_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
