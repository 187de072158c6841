package main

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// shelf is a cache in several drawers, each with its own lock and its own order of use.
type shelf[V any] struct {
	seed    maphash.Seed
	drawers []drawer[V]
}

type drawer[V any] struct {
	mu    sync.Mutex
	at    map[string]*list.Element
	order *list.List
	room  int
}

type jar[V any] struct {
	key   string
	value V
}

func newShelf[V any](drawers, room int) *shelf[V] {
	s := &shelf[V]{seed: maphash.MakeSeed(), drawers: make([]drawer[V], drawers)}
	for i := range s.drawers {
		s.drawers[i] = drawer[V]{at: map[string]*list.Element{}, order: list.New(), room: room}
	}
	return s
}

// get returns what is kept under the key; what is not there is made, outside of any lock.
func (s *shelf[V]) get(key string, make func(string) (V, error)) (V, error) {
	d := &s.drawers[maphash.String(s.seed, key)%uint64(len(s.drawers))]
	d.mu.Lock()
	if e, ok := d.at[key]; ok {
		d.order.MoveToFront(e)
		v := e.Value.(*jar[V]).value
		d.mu.Unlock()
		return v, nil
	}
	d.mu.Unlock()
	v, err := make(key)
	if err != nil {
		return v, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.at[key]; !ok {
		d.at[key] = d.order.PushFront(&jar[V]{key, v})
		if d.order.Len() > d.room {
			last := d.order.Back()
			delete(d.at, last.Value.(*jar[V]).key)
			d.order.Remove(last)
		}
	}
	return v, nil
}
