module example.com/shelves

go 1.21
