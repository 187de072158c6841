// Command vault checks log-ins of a batch of users with a pool of workers.
package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const rounds = 12_000

type account struct {
	salt, key [sha256.Size]byte
	lastSeen  time.Time
}

// vault is the set of accounts, and the lock that guards it.
type vault struct {
	sync.RWMutex
	accounts map[string]*account
}

// derive stretches a password into a key.
func derive(password string, salt [sha256.Size]byte) [sha256.Size]byte {
	key := sha256.Sum256(append([]byte(password), salt[:]...))
	for i := 1; i < rounds; i++ {
		key = sha256.Sum256(key[:])
	}
	return key
}

// exclusively runs f while nobody else reads or writes the vault.
func (v *vault) exclusively(f func()) {
	v.Lock()
	defer v.Unlock()
	f()
}

// snippet:start
// login reports whether the password is right, and if so notes the time.
func (v *vault) login(user, password string) (ok bool) {
	v.RLock()
	a := v.accounts[user]
	v.RUnlock()
	if a == nil || derive(password, a.salt) != a.key { // salt and key never change
		return false
	}
	v.exclusively(func() { a.lastSeen = time.Now() })
	return true
}

// snippet:end

func (v *vault) seenSince(t time.Time) (n int) {
	v.RLock()
	defer v.RUnlock()
	for _, a := range v.accounts {
		if a.lastSeen.After(t) {
			n++
		}
	}
	return n
}

func newVault(users int) *vault {
	v := &vault{accounts: make(map[string]*account)}
	rng := rand.New(rand.NewSource(4))
	for i := 0; i < users; i++ {
		a := new(account)
		rng.Read(a.salt[:])
		a.key = derive("pass-"+strconv.Itoa(i), a.salt)
		v.accounts["user-"+strconv.Itoa(i)] = a
	}
	return v
}

type attempt struct{ user, password string }

func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

func main() {
	const users = 60
	v := newVault(users)
	attempts := make(chan attempt)
	var good, bad atomic.Int64
	for i := 0; i < envInt("CONCURRENCY", 6); i++ {
		go func() {
			for a := range attempts {
				if v.login(a.user, a.password) {
					good.Add(1)
				} else {
					bad.Add(1)
				}
			}
		}()
	}
	go func() {
		rng := rand.New(rand.NewSource(8))
		for {
			n := rng.Intn(users)
			a := attempt{"user-" + strconv.Itoa(n), "pass-" + strconv.Itoa(n)}
			if rng.Intn(20) == 0 {
				a.password = "guess"
			}
			attempts <- a
		}
	}()
	go func() {
		for t := range time.Tick(500 * time.Millisecond) {
			fmt.Fprintln(os.Stderr, "seen:", v.seenSince(t.Add(-time.Second)), "failed:", bad.Load())
		}
	}()
	last := int64(0)
	for range time.Tick(time.Second) {
		now := good.Load() + bad.Load()
		fmt.Printf("figure logins %d per_s higher-is-better\n", now-last)
		last = now
	}
}
