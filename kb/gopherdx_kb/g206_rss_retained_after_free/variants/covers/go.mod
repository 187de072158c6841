module example.com/covers

go 1.21
