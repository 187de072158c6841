module example.com/pagers

go 1.21
