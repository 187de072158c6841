// Command granary keeps the stocks of many silos: it takes in their daily lists and gives offers from other traders.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// stocks holds how many tonnes each silo has.
type stocks struct {
	mu     sync.RWMutex
	tonnes map[string]float64
}

func (s *stocks) set(silo string, tonnes float64) {
	s.mu.Lock()
	s.tonnes[silo] = tonnes
	s.mu.Unlock()
}

func (s *stocks) get(silo string) float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tonnes[silo]
}

// take reads a list of silos, {"silos": {NAME: {"tonnes": N, …}, …}}, and says how many it held.
func (s *stocks) take(list io.Reader) (int, error) {
	var doc map[string]any
	if err := json.NewDecoder(list).Decode(&doc); err != nil {
		return 0, err
	}
	silos, ok := doc["silos"].(map[string]any)
	if !ok {
		return 0, fmt.Errorf("no silos in it")
	}
	for name, v := range silos {
		if about, ok := v.(map[string]any); ok {
			tonnes, _ := about["tonnes"].(float64)
			s.set(name, tonnes)
		}
	}
	return len(silos), nil
}

func (s *stocks) putList(w http.ResponseWriter, r *http.Request) {
	n, err := s.take(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, n)
}

// offers asks a trader's exchange for prices.
type offers struct {
	stocks   *stocks
	patience time.Duration
}

func (o *offers) give(w http.ResponseWriter, r *http.Request) {
	silo := r.URL.Query().Get("silo")
	ctx, cancel := context.WithTimeout(r.Context(), o.patience)
	defer cancel()
	price, err := o.price(ctx, silo)
	if err != nil {
		http.Error(w, "no offer: "+err.Error(), http.StatusGatewayTimeout)
		return
	}
	fmt.Fprintf(w, "%s: %.1f t at %.2f\n", silo, o.stocks.get(silo), price)
}

// price is the exchange's price for a silo's grain, as far as it comes in time.
func (o *offers) price(ctx context.Context, silo string) (float64, error) {
	found := make(chan float64)
	go func() { found <- exchange(silo) }()
	select {
	case price := <-found:
		return price, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// exchange answers like the other side of a long line: mostly within 20 ms, now and then much later.
func exchange(silo string) float64 {
	wait := 5 + rand.Intn(15)
	if rand.Intn(4) == 0 {
		wait = 120 + rand.Intn(60)
	}
	time.Sleep(time.Duration(wait) * time.Millisecond)
	return 180 + float64(len(silo)) + rand.Float64()
}

// makeList is a list of about size bytes.
func makeList(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"day": "2024-09-14", "silos": {`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"silo-%05d":{"tonnes":%d.5,"grain":"w%d","wet":0.1%02d,"at":{"lat":47.%03d,"lon":16.%03d},`+
			`"doors":[{"no":1,"t":%d},{"no":2,"t":%d}]}`,
			i, i%900, i%7, i%60, i%999, (i*7)%999, i%30, i%25)
	}
	b.WriteString(`}}`)
	return b.Bytes()
}

// report is a region that sends in its list, after a pause each time.
func report(base string, list []byte, pause time.Duration) {
	for {
		closed(http.Post(base+"/list", "application/json", bytes.NewReader(list)))
		time.Sleep(pause)
	}
}

// buyer asks for offers, so many a second.
func buyer(base string, seed int64, rate int) {
	rng := rand.New(rand.NewSource(seed))
	for range time.Tick(time.Second / time.Duration(rate)) {
		closed(http.Get(fmt.Sprintf("%s/offer?silo=silo-%05d", base, rng.Intn(9000))))
	}
}

func closed(resp *http.Response, err error) {
	if err != nil {
		log.Print(err)
		time.Sleep(10 * time.Millisecond)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	debug.SetGCPercent(envInt("GC_PERCENT", 30)) // the host is small and has other services
	s := &stocks{tonnes: make(map[string]float64)}
	o := &offers{s, time.Duration(envInt("PATIENCE_MS", 80)) * time.Millisecond}
	mux := http.NewServeMux()
	mux.HandleFunc("/list", s.putList)
	mux.HandleFunc("/offer", o.give)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	base := "http://" + ln.Addr().String()
	regions, buyers := envInt("REGIONS", 1), envInt("BUYERS", 10)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = regions + buyers
	for i := 0; i < buyers; i++ {
		go buyer(base, int64(i), envInt("RATE", 12))
	}
	list, pause := makeList(envInt("LIST_KB", 2500)<<10), time.Duration(envInt("PAUSE_MS", 5))*time.Millisecond
	for i := 1; i < regions; i++ {
		go report(base, list, pause)
	}
	report(base, list, pause)
}
