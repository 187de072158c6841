module example.com/halls

go 1.21
