module example.com/bazaar

go 1.21
