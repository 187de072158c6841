// Command seals has papers sealed by a notary, who shows a certificate anew for each paper.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

type clerk struct {
	client  *http.Client
	url     string
	papers  atomic.Int64
	spentNs atomic.Int64
}

// seal sends one paper over a connection of its own.
func (c *clerk) seal(paper []byte) error {
	resp, err := c.client.Post(c.url, "text/plain", bytes.NewReader(paper))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (c *clerk) work() {
	paper := bytes.Repeat([]byte("whereas "), 100)
	for {
		start := time.Now()
		if err := c.seal(paper); err != nil {
			log.Print(err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		c.spentNs.Add(int64(time.Since(start)))
		c.papers.Add(1)
	}
}

// certificate makes the notary's own.
func certificate() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	own, pool := certificate()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	notary := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintln(w, "sealed", n)
		}),
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			time.Sleep(70 * time.Millisecond) // it is kept in a safe
			return &own, nil
		}},
	}
	go func() { log.Fatal(notary.ServeTLS(ln, "", "")) }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	c := &clerk{
		url: "https://localhost:" + port + "/seal",
		client: &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool},
		}},
	}
	for i := 0; i < envInt("CONCURRENCY", 8); i++ {
		go c.work()
	}
	var lastN, lastNs int64
	for range time.Tick(time.Second) {
		n, ns := c.papers.Load(), c.spentNs.Load()
		if n > lastN {
			fmt.Printf("figure seal_time %.1f ms lower-is-better\n", float64(ns-lastNs)/float64(n-lastN)/1e6)
		}
		lastN, lastNs = n, ns
	}
}
