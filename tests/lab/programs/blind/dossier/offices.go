package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// The offices that know something of a boat, each behind a socket of its own.

func openOffice(name string, pause time.Duration, answer func(boat string) any) string {
	socket := fmt.Sprintf("@%s-%d", name, os.Getpid())
	ln, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(pause)
			json.NewEncoder(w).Encode(answer(r.URL.Query().Get("boat")))
		})))
	}()
	return socket
}
