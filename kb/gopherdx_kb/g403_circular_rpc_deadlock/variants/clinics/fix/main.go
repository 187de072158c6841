// Command clinics runs a reception and a laboratory. Each lets in a few connections at a time.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// door lets at most so many connections in; the next one is let in when one of them is closed.
type door struct {
	net.Listener
	chairs chan struct{}
}

func (d door) Accept() (net.Conn, error) {
	d.chairs <- struct{}{}
	conn, err := d.Listener.Accept()
	if err != nil {
		<-d.chairs
		return nil, err
	}
	return &visit{Conn: conn, leave: func() { <-d.chairs }}, nil
}

type visit struct {
	net.Conn
	once  sync.Once
	leave func()
}

func (v *visit) Close() error {
	err := v.Conn.Close()
	v.once.Do(v.leave)
	return err
}

// open serves at a door of its own and returns its address.
func open(chairs int, routes map[string]http.HandlerFunc) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, handler := range routes {
		mux.HandleFunc(path, handler)
	}
	server := &http.Server{Handler: mux}
	server.SetKeepAlivesEnabled(false) // whoever has an answer leaves
	go func() { log.Fatal(server.Serve(door{ln, make(chan struct{}, chairs)})) }()
	return "http://" + ln.Addr().String()
}

func ask(address string) (string, error) {
	resp, err := http.Get(address)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", address, resp.Status)
	}
	return string(answer), err
}

type reception struct {
	laboratory string
	seen       atomic.Int64
}

// visit sends a patient's sample to the laboratory and tells the result.
func (c *reception) visit(w http.ResponseWriter, r *http.Request) {
	result, err := ask(c.laboratory + "/test?patient=" + r.FormValue("patient"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	c.seen.Add(1)
	io.WriteString(w, result)
}

// age tells a patient's age.
func (c *reception) age(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, 20+len(r.FormValue("patient"))*7%50)
}

type laboratory struct {
	reception string
}

// test measures a sample. What is normal depends on the patient's age.
func (l *laboratory) test(w http.ResponseWriter, r *http.Request) {
	age, err := ask(l.reception + "/age?patient=" + r.FormValue("patient"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "normal at %s", age)
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	chairs := envInt("CHAIRS", 6)
	c, l := &reception{}, &laboratory{}
	visitsAt := open(chairs, map[string]http.HandlerFunc{"/visit": c.visit})
	// A door of its own for what the laboratory asks while a visitor waits for it.
	l.reception = open(2, map[string]http.HandlerFunc{"/age": c.age})
	c.laboratory = open(chairs, map[string]http.HandlerFunc{"/test": l.test})
	for i := 0; i < envInt("CONCURRENCY", 18); i++ {
		go func(n int) {
			for {
				if _, err := ask(fmt.Sprintf("%s/visit?patient=%d", visitsAt, n*7919)); err != nil {
					log.Print(err)
				}
				time.Sleep(40 * time.Millisecond)
			}
		}(i)
	}
	last := c.seen.Load()
	for range time.Tick(time.Second) {
		now := c.seen.Load()
		fmt.Printf("figure visits %d per_s higher-is-better\n", now-last)
		last = now
	}
}
