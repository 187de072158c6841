package calc

// Count tells how many primes lie below n, again and again for the given rounds.
func Count(buf []bool, rounds int) int {
	total := 0
	for r := 0; r < rounds; r++ {
		for i := range buf {
			buf[i] = true
		}
		for i := 2; i*i < len(buf); i++ {
			if buf[i] {
				for j := i * i; j < len(buf); j += i {
					buf[j] = false
				}
			}
		}
		for i := 2; i < len(buf); i++ {
			if buf[i] {
				total++
			}
		}
	}
	return total
}
