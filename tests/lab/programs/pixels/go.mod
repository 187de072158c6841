module example.com/pixels

go 1.21
