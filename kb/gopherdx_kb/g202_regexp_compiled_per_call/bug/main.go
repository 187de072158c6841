// Command signup takes in sign-up forms over HTTP and answers what is wrong with them.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

type form struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Postcode string `json:"postcode"`
}

// snippet:start
// problems says what is wrong with a form.
func problems(f form) []string {
	var found []string
	if !regexp.MustCompile(`^\p{L}[\p{L} .'-]*$`).MatchString(f.Name) {
		found = append(found, "name")
	}
	if !regexp.MustCompile(`^[\w.+-]+@([\w-]+\.)+[a-z]{2,12}$`).MatchString(f.Email) {
		found = append(found, "email")
	}
	if ok, _ := regexp.MatchString(`^\+?[0-9]{2,4}([ /-]?[0-9]{2,5}){2,4}$`, f.Phone); !ok {
		found = append(found, "phone")
	}
	return found
}

// snippet:end

type desk struct {
	members map[string]int // number by address
	forms   atomic.Int64
	refused atomic.Int64
}

func newDesk(members int) *desk {
	d := &desk{members: make(map[string]int, members)}
	for i := 0; i < members; i++ {
		d.members[fmt.Sprintf("member-%06d@post%02d.example.org", i, i%83)] = i
	}
	return d
}

func (d *desk) post(w http.ResponseWriter, r *http.Request) {
	var f form
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&f); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.forms.Add(1)
	if found := problems(f); len(found) > 0 {
		d.refused.Add(1)
		http.Error(w, "check "+strings.Join(found, ", "), http.StatusUnprocessableEntity)
		return
	}
	if number, ok := d.members[f.Email]; ok {
		http.Error(w, "you are member "+strconv.Itoa(number), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// visit fills in form after form.
func visit(url string, number int) {
	client := &http.Client{Transport: &http.Transport{}}
	for i := number; ; i++ {
		f := form{
			Name:  "Ada Lovelace-" + strings.Repeat("x", i%7),
			Email: fmt.Sprintf("ada.%d@mail%d.example.org", i, i%11),
			Phone: fmt.Sprintf("+49 %d %d", 300+i%90, 100000+i%77777),
		}
		if i%50 == 0 {
			f.Email = "ada at example"
		}
		body, _ := json.Marshal(f)
		resp, err := client.Post(url, "application/json", strings.NewReader(string(body)))
		if err != nil {
			log.Print(err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	d := newDesk(envInt("MEMBERS", 400000))
	mux := http.NewServeMux()
	mux.HandleFunc("/forms", d.post)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(ln, mux)) }()
	for i := 0; i < envInt("CONCURRENCY", 4); i++ {
		go visit("http://"+ln.Addr().String()+"/forms", i*1000)
	}
	last := int64(0)
	for range time.Tick(time.Second) {
		now := d.forms.Load()
		fmt.Printf("figure forms %d per_s higher-is-better\n", now-last)
		last = now
	}
}
