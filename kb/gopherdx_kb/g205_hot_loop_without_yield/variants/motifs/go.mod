module example.com/motifs

go 1.21
