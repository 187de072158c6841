package async

import (
	"errors"
	"time"
)

var ErrLate = errors.New("late")

func Within[T any](d time.Duration, f func() T) (T, error) {
	out := make(chan T)
	go func() { out <- f() }()
	select {
	case v := <-out:
		return v, nil
	case <-time.After(d):
		var zero T
		return zero, ErrLate
	}
}
