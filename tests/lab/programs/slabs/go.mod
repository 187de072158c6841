module example.com/slabs

go 1.21
