// Command wharf follows the positions of ships and tells, over HTTP, what awaits a ship in the harbour.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// arrival is what a ship's agent wants to know before she comes in.
type arrival struct {
	Berth   string  `json:"berth"`
	TideCM  int     `json:"tide_cm"`
	Pilot   string  `json:"pilot"`
	WindMPS float64 `json:"wind_mps"`
	Seen    int     `json:"seen"`
}

type harbour struct {
	chart    *chart
	services string
	client   *http.Client
}

// show answers with all that is known of a ship's arrival.
func (h *harbour) show(w http.ResponseWriter, r *http.Request) {
	ship, err := strconv.Atoi(r.URL.Query().Get("ship"))
	if err != nil {
		http.Error(w, "ship: want a number", http.StatusBadRequest)
		return
	}
	a, err := h.arrival(r.Context(), ship)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	json.NewEncoder(w).Encode(a)
}

func (h *harbour) arrival(ctx context.Context, ship int) (*arrival, error) {
	a := &arrival{Seen: h.chart.seen(ship)}
	for _, service := range []string{"berths", "tides", "pilots", "winds"} {
		if err := h.ask(ctx, fmt.Sprintf("%s/%s?ship=%d", h.services, service, ship), a); err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
	}
	return a, nil
}

// ask fills in what one service knows.
func (h *harbour) ask(ctx context.Context, url string, a *arrival) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(a)
}

// services stands in for those of the port authority, each of which takes its time.
func services() http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]struct {
		ms   int
		text string
	}{
		"/berths": {18, `{"berth": "B7"}`},
		"/tides":  {25, `{"tide_cm": 312}`},
		"/pilots": {30, `{"pilot": "on board at the fairway buoy"}`},
		"/winds":  {22, `{"wind_mps": 8.5}`},
	} {
		answer := answer
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Duration(answer.ms+rand.Intn(8)) * time.Millisecond)
			io.WriteString(w, answer.text)
		})
	}
	return mux
}

// listen serves h on a free port of the loopback and returns its address.
func listen(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, h)) }()
	return "http://" + ln.Addr().String()
}

// agent asks after one of its ships now and then.
func agent(client *http.Client, base string, seed int64) {
	rng := rand.New(rand.NewSource(seed))
	for {
		resp, err := client.Get(base + "/arrival?ship=" + strconv.Itoa(rng.Intn(2000)))
		if err != nil {
			log.Print(err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		time.Sleep(time.Duration(10+rng.Intn(30)) * time.Millisecond)
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	agents := envInt("AGENTS", 10)
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 2 * agents},
		Timeout:   10 * time.Second,
	}
	h := &harbour{chart: newChart(), services: listen(services()), client: client}
	stations := envInt("STATIONS", 4)
	for i := 0; i < stations; i++ {
		reports := make(chan report, 128)
		go transmit(reports, int64(i), envInt("RATE", 20_000)/stations)
		go h.chart.follow(i, reports, time.Duration(envInt("QUIET_S", 45))*time.Second)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/arrival", h.show)
	base := listen(mux)
	for i := 0; i < agents; i++ {
		go agent(client, base, int64(i))
	}
	select {}
}
