package book

import (
	"crypto/sha256"
	"sync"
)

type guard struct{ sync.RWMutex }

func (g *guard) within(f func()) {
	g.Lock()
	defer g.Unlock()
	f()
}

type Book struct {
	guard
	tip   [32]byte
	lines map[string]int
}

func New() *Book { return &Book{lines: map[string]int{}} }

func (b *Book) Post(account string, amount int) [32]byte {
	var out [32]byte
	b.within(func() {
		b.lines[account] += amount
		sum := b.tip
		for i := 0; i < 4000; i++ {
			sum = sha256.Sum256(sum[:])
		}
		b.tip = sum
		out = sum
	})
	return out
}

func (b *Book) Balance(account string) int {
	b.RLock()
	defer b.RUnlock()
	return b.lines[account]
}
