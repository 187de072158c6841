package main

import (
	"os"
	"strconv"
)

// envInt is a number of the environment, or the fallback.
func envInt(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}
