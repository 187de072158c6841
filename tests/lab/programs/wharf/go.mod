module example.com/wharf

go 1.21
