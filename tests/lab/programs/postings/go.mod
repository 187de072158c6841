module example.com/postings

go 1.21
