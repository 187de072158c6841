package main

// Exams that share a student must not be written in the same slot: a set of bits for each exam.

func clashes(exams int) [][]uint64 {
	rows := make([][]uint64, exams)
	for i := range rows {
		rows[i] = make([]uint64, (exams+63)/64)
	}
	seed := uint32(2463534242)
	for i := range rows {
		for j := 0; j < i; j++ {
			seed ^= seed << 13
			seed ^= seed >> 17
			seed ^= seed << 5
			if seed%10 < 6 {
				rows[i][j/64] |= 1 << (j % 64)
				rows[j][i/64] |= 1 << (i % 64)
			}
		}
	}
	return rows
}
