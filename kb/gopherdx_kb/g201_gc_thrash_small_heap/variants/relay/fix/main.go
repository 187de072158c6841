// Command relay takes framed messages over TCP and answers each with a checksum.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const frameMax = 256 << 10

type session struct {
	id    int
	topic string
	peers []*session
}

// sessions are the known subscribers.
type sessions struct {
	mu sync.RWMutex
	by map[int]*session
}

func newSessions(n int) *sessions {
	s := &sessions{by: make(map[int]*session)}
	all := make([]*session, n)
	for i := range all {
		all[i] = &session{id: i, topic: fmt.Sprintf("topic-%d", i%500), peers: make([]*session, 0, 6)}
		s.by[i] = all[i]
	}
	rng := rand.New(rand.NewSource(12))
	for _, x := range all {
		for k := 0; k < cap(x.peers); k++ {
			x.peers = append(x.peers, all[rng.Intn(n)])
		}
	}
	return s
}

func (s *sessions) topic(id int) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if x := s.by[id%len(s.by)]; x != nil {
		return x.topic
	}
	return ""
}

type relay struct {
	sessions *sessions
	frames   atomic.Int64
	spentNs  atomic.Int64
}

// snippet:start
// serve answers the frames of one connection: 4 bytes of length, then the message.
func (r *relay) serve(c net.Conn) error {
	defer c.Close()
	buf := make([]byte, frameMax) // one for the whole connection
	for {
		if _, err := io.ReadFull(c, buf[:4]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(buf)
		if n > frameMax {
			return fmt.Errorf("frame of %d bytes", n)
		}
		if _, err := io.ReadFull(c, buf[:n]); err != nil {
			return err
		}
		if err := r.answer(c, buf[:n]); err != nil {
			return err
		}
	}
}

// snippet:end

func (r *relay) answer(c net.Conn, message []byte) error {
	sum := crc32.ChecksumIEEE(message)
	sum ^= uint32(len(r.sessions.topic(int(sum >> 8))))
	r.frames.Add(1)
	return binary.Write(c, binary.BigEndian, sum)
}

// publish sends frames, up to window of them ahead of their answers.
func (r *relay) publish(addr string, seed int64, window int) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	rng := rand.New(rand.NewSource(seed))
	var frames []byte
	for i := 0; i < window; i++ {
		n := 1<<10 + rng.Intn(3<<10)
		frames = binary.BigEndian.AppendUint32(frames, uint32(n))
		frames = append(frames, make([]byte, n)...)
	}
	sums := make([]byte, 4*window)
	for {
		start := time.Now()
		if _, err := c.Write(frames); err != nil {
			log.Fatal(err)
		}
		if _, err := io.ReadFull(c, sums); err != nil {
			log.Fatal(err)
		}
		r.spentNs.Add(int64(time.Since(start)))
		time.Sleep(time.Duration(5+rng.Intn(5)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	r := &relay{sessions: newSessions(envInt("SESSIONS", 12_000))}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go r.serve(c)
		}
	}()
	for i := 0; i < envInt("CONCURRENCY", 4); i++ {
		go r.publish(ln.Addr().String(), int64(i), envInt("WINDOW", 4))
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := r.frames.Load(), r.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure frame_time %.1f us lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e3)
		}
		lastN, lastNs = n, ns
	}
}
