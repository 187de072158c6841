// Command weighbridge takes the weights of lorries at several gates and gives each driver a sealed ticket.
//
// Gates talk to the office in lines of text: "IN lorry kg", "OUT lorry kg", "SHOW number".
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const keptTickets = 5000

type ticket struct {
	number int
	lorry  string
	net    int
	seal   []byte
	mark   string
}

// book is what the office has written down.
type book struct {
	sync.RWMutex
	tares   map[string]int
	tickets map[int]*ticket
	next    int
}

type office struct {
	book
	key    []byte
	rounds int
	notary *notary
}

type command func(args []string) (string, error)

func (o *office) commands() map[string]command {
	return map[string]command{"IN": o.arrive, "OUT": o.depart, "SHOW": o.show}
}

var errArgs = errors.New("what?")

// arrive notes what an empty lorry weighs.
func (o *office) arrive(args []string) (string, error) {
	if len(args) != 2 {
		return "", errArgs
	}
	kg, err := strconv.Atoi(args[1])
	if err != nil {
		return "", err
	}
	o.Lock()
	defer o.Unlock()
	o.tares[args[0]] = kg
	return "ok", nil
}

// depart weighs the loaded lorry and writes its ticket.
func (o *office) depart(args []string) (string, error) {
	if len(args) != 2 {
		return "", errArgs
	}
	kg, err := strconv.Atoi(args[1])
	if err != nil {
		return "", err
	}
	o.Lock()
	defer o.Unlock()
	tare, ok := o.tares[args[0]]
	if !ok {
		return "", fmt.Errorf("%s never came in", args[0])
	}
	o.next++
	t := &ticket{number: o.next, lorry: args[0], net: kg - tare}
	t.seal = o.sealOf(t)
	if t.mark, err = o.notary.countersign(t.seal); err != nil {
		return "", err
	}
	o.tickets[t.number] = t
	delete(o.tickets, t.number-keptTickets)
	return fmt.Sprintf("%d %d %s", t.number, t.net, t.mark), nil
}

// show reads a ticket again.
func (o *office) show(args []string) (string, error) {
	if len(args) != 1 {
		return "", errArgs
	}
	number, err := strconv.Atoi(args[0])
	if err != nil {
		return "", err
	}
	o.RLock()
	defer o.RUnlock()
	t, ok := o.tickets[number]
	if !ok {
		return "", fmt.Errorf("no ticket %d", number)
	}
	return fmt.Sprintf("%s %d %x %s", t.lorry, t.net, t.seal[:4], t.mark), nil
}

// sealOf stretches the ticket's text, so that nobody tries out seals at the gate.
func (o *office) sealOf(t *ticket) []byte {
	mac := hmac.New(sha256.New, o.key)
	sum := []byte(fmt.Sprintf("%d|%s|%d", t.number, t.lorry, t.net))
	for i := 0; i < o.rounds; i++ {
		mac.Reset()
		mac.Write(sum)
		sum = mac.Sum(sum[:0])
	}
	return sum
}

// counted is put around each command.
func counted(n *atomic.Int64, next command) command {
	return func(args []string) (string, error) {
		answer, err := next(args)
		if err == nil {
			n.Add(1)
		}
		return answer, err
	}
}

// attend answers one gate until it hangs up.
func attend(conn net.Conn, commands map[string]command) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		run, ok := commands[words[0]]
		if !ok {
			fmt.Fprintln(conn, "error what?")
			continue
		}
		answer, err := run(words[1:])
		if err != nil {
			answer = "error " + err.Error()
		}
		fmt.Fprintln(conn, answer)
	}
}

// gate sends lorries through: in, out, and now and then a look at the last ticket.
func gate(addr string, id int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	for n := 0; ; n++ {
		lorry := fmt.Sprintf("L%d-%d", id, n%50)
		lines := []string{fmt.Sprintf("IN %s %d", lorry, 7000+n%900), fmt.Sprintf("OUT %s %d", lorry, 21000+n%4000)}
		var answer string
		for _, line := range lines {
			fmt.Fprintln(conn, line)
			if answer, err = answers.ReadString('\n'); err != nil {
				return err
			}
		}
		if number, _, ok := strings.Cut(answer, " "); ok && n%4 == 0 {
			fmt.Fprintf(conn, "SHOW %s\n", number)
			if _, err = answers.ReadString('\n'); err != nil {
				return err
			}
		}
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func listen() net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return ln
}

func main() {
	gates := envInt("GATES", 18)
	far := listen()
	go serveNotary(far, 2*time.Millisecond)
	n, err := openNotary(far.Addr().String(), gates)
	if err != nil {
		log.Fatal(err)
	}
	o := &office{key: []byte("scale 4"), rounds: envInt("ROUNDS", 1200), notary: n}
	o.tares, o.tickets = map[string]int{}, map[int]*ticket{}

	var done, tickets atomic.Int64
	commands := o.commands()
	for name, run := range commands {
		commands[name] = counted(&done, run)
	}
	commands["OUT"] = counted(&tickets, commands["OUT"])
	ln := listen()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go attend(conn, commands)
		}
	}()
	for i := 0; i < gates; i++ {
		i := i
		go func() { log.Fatal(gate(ln.Addr().String(), i)) }()
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := tickets.Load()
		fmt.Printf("figure tickets %d per_s higher-is-better\n", now-last)
		last = now
	}
}
