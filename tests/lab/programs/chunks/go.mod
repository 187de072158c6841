module example.com/chunks

go 1.21
