package web

import (
	"fmt"
	"net/http"
	"strconv"

	"example.com/postings/book"
)

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		next.ServeHTTP(w, r)
	})
}

func Routes(b *book.Book) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		fmt.Fprintf(w, "%x\n", b.Post(r.URL.Query().Get("a"), n))
	})
	m.HandleFunc("/balance", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, b.Balance(r.URL.Query().Get("a")))
	})
	return logged(m)
}
